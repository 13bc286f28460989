package dev.pollux.rag.knowledge;

import dev.pollux.embedding.EmbedderInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The open vectors of one embedder in an {@link EmbeddingCache}. <em>Not thread-safe: one thread at a time.</em> */
final class VectorCache implements AutoCloseable {

    /*
     * A cache is up to six files, each four times as large as the one before, so that a small cache is a small file and a
     * large one has few files. A file is a hash table of fixed size (VectorTable); its records are found by the key, without
     * an index in memory.
     *
     *   get   asks each file
     *   put   the first file with a free place; else a further file, if maxBytes allows it; else the oldest record is replaced
     *
     * No lock is held. A record that two processes write at once, or that was only partly written, does not have the checksum
     * that it names, and is absent. Any failure of the file system switches the cache off until the next ingest.
     *
     * Rejected: a file of appended records, which needs an index in memory and somebody who removes old records; a Lucene
     * index, which has one writer.
     */

    private static final System.Logger LOGGER = System.getLogger(VectorCache.class.getName());
    private static final int TABLES = 6;
    private static final int FIRST_SETS = 512;
    private static final int GROWTH = 4;

    private final @Nullable Path folder;
    private final int dimension;
    private final long maxBytes;
    private final List<VectorTable> tables = new ArrayList<>();
    private boolean off;

    private VectorCache(@Nullable Path folder, int dimension, long maxBytes) {
        this.folder = folder;
        this.dimension = dimension;
        this.maxBytes = maxBytes;
        this.off = folder == null;
    }

    /** A cache that holds nothing. */
    static VectorCache none() {
        return new VectorCache(null, 1, 0);
    }

    static VectorCache open(EmbeddingCache cache, EmbedderInfo embedder) {
        String name = Hashes.of(embedder.fingerprint(), String.valueOf(embedder.dimension()))
                .substring(0, 32);
        Path folder = cache.folder().resolve(name);
        VectorCache opened = new VectorCache(folder, embedder.dimension(), cache.maxBytes());
        try {
            Files.createDirectories(folder);
            Files.setLastModifiedTime(folder, FileTime.from(Instant.now()));
            forgetOthers(cache.folder());
            while (opened.tables.size() < TABLES && Files.exists(opened.file(opened.tables.size()))) {
                if (!opened.grow(folder)) {
                    break;
                }
            }
        } catch (IOException | RuntimeException e) {
            opened.switchOff(e);
        }
        return opened;
    }

    /** Deletes all but the embedders that were used last. */
    private static void forgetOthers(Path all) throws IOException {
        try (Stream<Path> listed = Files.list(all)) {
            List<Path> folders = listed.filter(Files::isDirectory)
                    .sorted(Comparator.comparing(VectorCache::used).reversed())
                    .skip(EmbeddingCache.EMBEDDERS)
                    .toList();
            for (Path old : folders) {
                for (int i = 0; i < TABLES; i++) {
                    Files.deleteIfExists(old.resolve(name(i)));
                }
                Files.deleteIfExists(old);
            }
        }
    }

    private static FileTime used(Path folder) {
        try {
            return Files.getLastModifiedTime(folder);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    /** The vector with this key, a SHA-256 in hex, (dimension); null if there is none. */
    float @Nullable [] get(String key) {
        if (off) {
            return null;
        }
        try {
            ByteBuffer bytes = VectorTable.key(key);
            for (VectorTable table : tables) {
                float[] vector = table.get(bytes); // (dimension)
                if (vector != null) {
                    return vector;
                }
            }
        } catch (IOException e) {
            switchOff(e);
        }
        return null;
    }

    /** Stores a vector that is not there. */
    void put(String key, float[] vector) { // vector: (dimension)
        Path home = folder;
        if (off || home == null) {
            return;
        }
        try {
            ByteBuffer bytes = VectorTable.key(key);
            VectorTable.Slot best = null;
            VectorTable owner = null;
            for (int i = 0; best == null || !best.isFree(); i++) {
                if (i == tables.size() && !grow(home)) {
                    break;
                }
                VectorTable.Slot slot = tables.get(i).place(bytes);
                if (best == null || slot.age() < best.age()) {
                    best = slot;
                    owner = tables.get(i);
                }
            }
            if (best != null && owner != null) {
                owner.write(best, bytes, vector);
            }
        } catch (IOException e) {
            switchOff(e);
        }
    }

    /** Opens the next file; false if there is no room for it. */
    private boolean grow(Path home) throws IOException {
        int number = tables.size();
        long room = maxBytes - tables.stream().mapToLong(VectorTable::bytes).sum();
        long wanted = FIRST_SETS;
        for (int i = 0; i < number; i++) {
            wanted *= GROWTH;
        }
        long sets = Math.min(wanted, (room - VectorTable.HEADER) / VectorTable.setBytes(dimension));
        boolean fits = number < TABLES && sets > 0;
        if (fits) {
            tables.add(VectorTable.open(home.resolve(name(number)), dimension, Math.toIntExact(sets)));
        }
        return fits;
    }

    private Path file(int number) {
        return folder == null ? Path.of(name(number)) : folder.resolve(name(number));
    }

    private static String name(int number) {
        return "vectors-" + number + ".bin";
    }

    private void switchOff(Exception e) {
        off = true;
        LOGGER.log(System.Logger.Level.DEBUG, "The embedding cache in " + folder + " is not used", e);
        close();
    }

    @Override
    public void close() {
        off = true;
        tables.forEach(VectorTable::close);
        tables.clear();
    }
}
