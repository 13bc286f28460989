package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The vectors of one Lucene segment in a mapped file, with their 8-bit codes if they were written. Format {@value #VERSION},
 * in little-endian order:
 *
 * <pre>
 * offset                       bytes
 *      0                          64   {@link DerivedHeader}: magic number 0x46565850 ("PXVF"), first number 1 if there are
 *                                      codes, otherwise 0; second number 0
 *     64   4 * rows * dimension        floats, row after row in the order of the segment's documents
 *
 * with codes:
 *          rows * 12                   of each row three floats: scale, error, norm
 *          rows * dimension            of each row its codes in [-127, 127]
 *
 * end - 4                          4   CRC-32C of all bytes before
 * </pre>
 *
 * <p>Row r is approximated by scale · codes; error is the length of the difference, norm the length of the row, both rounded
 * up.
 *
 * <p><em>Immutable, thread-safe.</em>
 */
final class VectorFile implements VectorRows {

    static final int MAGIC = 0x46565850;
    static final int VERSION = 1;

    private static final int CODE_HEAD = 3 * Float.BYTES;

    private final int rows;
    private final int dimension;
    private final MappedChunks floats;
    private final @Nullable VectorCodes codes;

    private VectorFile(int rows, int dimension, MappedChunks floats, @Nullable VectorCodes codes) {
        this.rows = rows;
        this.dimension = dimension;
        this.floats = floats;
        this.codes = codes;
    }

    /**
     * Writes a file, which depends on the vectors and the segment only.
     *
     * @param segment id of the segment in hex
     * @param coded whether to write codes
     */
    static DerivedFile write(Path target, String segment, VectorRows vectors, boolean coded) throws IOException {
        int dimension = vectors.dimension();
        try (DerivedWriter writer = new DerivedWriter(target)) {
            OutputStream out = writer.out();
            out.write(new DerivedHeader(MAGIC, VERSION, dimension, vectors.rows(), segment, coded ? 1 : 0, 0).bytes());
            forEach(vectors, row -> out.write(Vectors.bytes(row)));
            if (coded) {
                ByteBuffer head = ByteBuffer.allocate(CODE_HEAD).order(ByteOrder.LITTLE_ENDIAN);
                forEach(vectors, row -> {
                    VectorCode code = VectorCode.of(row);
                    head.clear();
                    head.putFloat(code.scale()).putFloat(code.error()).putFloat(code.norm());
                    out.write(head.array());
                });
                forEach(vectors, row -> out.write(VectorCode.of(row).bytes()));
            }
            return writer.finish();
        }
    }

    /** Passes each row to an action, which must not keep the array. */
    private static void forEach(VectorRows vectors, RowAction action) throws IOException {
        int dimension = vectors.dimension();
        float[] block = new float[BLOCK * dimension];
        for (int first = 0; first < vectors.rows(); first += BLOCK) {
            int count = Math.min(BLOCK, vectors.rows() - first);
            vectors.copy(first, count, block);
            for (int row = 0; row < count; row++) {
                action.row(Arrays.copyOfRange(block, row * dimension, (row + 1) * dimension));
            }
        }
    }

    /** Takes a row. */
    @FunctionalInterface
    private interface RowAction {
        void row(float[] row) throws IOException; // (dimension)
    }

    /**
     * Maps a file.
     *
     * @throws DerivedHeader.DamagedException if its length or its header is wrong
     */
    static VectorFile open(Path file, DerivedFile expected, int rows, int dimension) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() != expected.length()) {
                throw new DerivedHeader.DamagedException(
                        "has " + channel.size() + " bytes where " + expected.length() + " were written");
            }
            ByteBuffer head = ByteBuffer.allocate(DerivedHeader.LENGTH + DerivedHeader.FOOTER);
            channel.read(head, 0);
            DerivedHeader header = DerivedHeader.read(head.flip());
            header.check(MAGIC, VERSION, dimension, expected.segment());
            long floats = DerivedHeader.LENGTH;
            long heads = floats + (long) rows * dimension * Float.BYTES;
            long codes = heads + (long) rows * CODE_HEAD;
            boolean coded = header.first() == 1;
            long end = (coded ? codes + (long) rows * dimension : heads) + DerivedHeader.FOOTER;
            if (header.rows() != rows || end != expected.length()) {
                throw new DerivedHeader.DamagedException(
                        "has " + header.rows() + " vectors where its segment has " + rows);
            }
            return new VectorFile(
                    rows,
                    dimension,
                    MappedChunks.map(channel, floats, rows, dimension * Float.BYTES),
                    coded
                            ? new VectorCodes(
                                    rows,
                                    dimension,
                                    MappedChunks.map(channel, heads, rows, CODE_HEAD),
                                    MappedChunks.map(channel, codes, rows, dimension))
                            : null);
        }
    }

    @Nullable
    VectorCodes codes() {
        return codes;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int dimension() {
        return dimension;
    }

    @Override
    public void copy(int first, int count, float[] into) {
        int done = 0;
        while (done < count) {
            int part = floats.together(first + done, count - done);
            floats.floats(first + done, part, into, done * dimension);
            done += part;
        }
    }

    @Override
    public void gather(int[] rowsWanted, int count, float[] into) {
        for (int i = 0; i < count; i++) {
            floats.floats(rowsWanted[i], 1, into, i * dimension);
        }
    }
}
