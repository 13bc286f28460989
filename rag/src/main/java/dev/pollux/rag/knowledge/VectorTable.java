package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A file of vectors that are found by keys: a hash table of sets with {@value #WAYS} slots each.
 *
 * <pre>
 * header   magic "PXVC", version 1, dimension, sets    4 int
 * set      8 entries: key (16 bytes), age (int, seconds since 1970, 0 of a free slot), CRC-32C of key, age and vector (int)
 *          8 vectors: dimension floats
 * </pre>
 *
 * <p>All numbers are little-endian. The set of a key is its first 8 bytes modulo the number of sets. A file with another header is
 * emptied; bytes past the end of the file are zeros. <em>Not thread-safe: one thread at a time.</em>
 */
final class VectorTable {

    static final int HEADER = 16;

    private static final int MAGIC = 'P' | 'X' << 8 | 'V' << 16 | 'C' << 24;
    private static final int VERSION = 1;
    private static final int WAYS = 8;
    private static final int KEY = 16;
    private static final int ENTRY = KEY + 2 * Integer.BYTES;

    private final RandomAccessFile file; // an interrupt closes a channel, but not this
    private final int dimension;
    private final int sets;

    /**
     * A place for a vector.
     *
     * @param age of the vector to be replaced, in seconds since 1970; 0 if the place is free
     */
    record Slot(long set, int way, long age) {
        boolean isFree() {
            return age == 0;
        }
    }

    private VectorTable(RandomAccessFile file, int dimension, int sets) {
        this.file = file;
        this.dimension = dimension;
        this.sets = sets;
    }

    /** Opens or creates a table. */
    static VectorTable open(Path path, int dimension, int sets) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        try {
            VectorTable table = new VectorTable(file, dimension, sets);
            ByteBuffer header = buffer(HEADER)
                    .putInt(MAGIC)
                    .putInt(VERSION)
                    .putInt(dimension)
                    .putInt(sets)
                    .flip();
            if (!table.read(0, HEADER).equals(header)) {
                file.setLength(0);
                table.write(0, header);
            }
            return table;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Size of a set of vectors. */
    static long setBytes(int dimension) {
        return WAYS * (ENTRY + (long) Float.BYTES * dimension);
    }

    /** The first half of a SHA-256 in hex. */
    static ByteBuffer key(String hash) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hash, 0, 2 * KEY)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Size of the full table. */
    long bytes() {
        return HEADER + sets * setBytes(dimension);
    }

    /** The vector with this key, (dimension); null if there is none or it is damaged. */
    float @Nullable [] get(ByteBuffer key) throws IOException {
        long set = set(key);
        ByteBuffer entries = read(offset(set), WAYS * ENTRY);
        for (int way = 0; way < WAYS; way++) {
            ByteBuffer entry = entries.slice(way * ENTRY, ENTRY).order(ByteOrder.LITTLE_ENDIAN);
            if (entry.slice(0, KEY).equals(key) && entry.getInt(KEY) != 0) {
                ByteBuffer vector = read(offset(set, way), Float.BYTES * dimension);
                if (entry.getInt(KEY + Integer.BYTES) == checksum(entry, vector)) {
                    float[] values = new float[dimension];
                    vector.asFloatBuffer().get(values);
                    return values;
                }
            }
        }
        return null;
    }

    /** The place for a key: its own, if it is there but damaged; else a free one; else the oldest. */
    Slot place(ByteBuffer key) throws IOException {
        long set = set(key);
        ByteBuffer entries = read(offset(set), WAYS * ENTRY);
        Slot best = new Slot(set, 0, Long.MAX_VALUE);
        for (int way = 0; way < WAYS; way++) {
            long age = Integer.toUnsignedLong(entries.getInt(way * ENTRY + KEY));
            if (entries.slice(way * ENTRY, KEY).equals(key)) {
                return new Slot(set, way, 0);
            }
            best = age < best.age() ? new Slot(set, way, age) : best;
        }
        return best;
    }

    void write(Slot slot, ByteBuffer key, float[] vector) throws IOException { // vector: (dimension)
        ByteBuffer values = buffer(Float.BYTES * dimension);
        values.asFloatBuffer().put(vector);
        ByteBuffer entry = buffer(ENTRY);
        entry.put(key.duplicate()).putInt((int) Instant.now().getEpochSecond());
        entry.putInt(checksum(entry, values)).flip();
        write(offset(slot.set(), slot.way()), values);
        write(offset(slot.set()) + (long) slot.way() * ENTRY, entry);
    }

    private static int checksum(ByteBuffer entry, ByteBuffer vector) {
        CRC32C checksum = new CRC32C();
        checksum.update(entry.array(), entry.arrayOffset(), KEY + Integer.BYTES);
        checksum.update(vector.array(), vector.arrayOffset(), vector.capacity());
        return (int) checksum.getValue();
    }

    private long set(ByteBuffer key) {
        return Long.remainderUnsigned(key.getLong(0), sets);
    }

    private long offset(long set) {
        return HEADER + set * setBytes(dimension);
    }

    private long offset(long set, int way) {
        return offset(set) + WAYS * ENTRY + (long) way * Float.BYTES * dimension;
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer read(long offset, int bytes) throws IOException {
        byte[] read = new byte[bytes]; // zeros past the end of the file
        file.seek(offset);
        int done = 0;
        int n = 0;
        while (n >= 0 && done < bytes) {
            n = file.read(read, done, bytes - done);
            done += Math.max(0, n);
        }
        return ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void write(long offset, ByteBuffer bytes) throws IOException {
        file.seek(offset);
        file.write(bytes.array(), bytes.arrayOffset(), bytes.limit());
    }

    void close() {
        try {
            file.close();
        } catch (IOException e) {
            return; // what was written is checked when it is read
        }
    }
}
