package dev.pollux.inference.calibration;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Hashes of some passages of texts, by which another text is found to be among them. A quantized model is stored with those of
 * its calibration texts. <em>Immutable.</em>
 */
public final class PassageHashes {

    /*
     * A passage is WORDS words in a row, in lower case; each word begins one. Of all hashes the MOST smallest are kept (Broder, "On the
     * resemblance and containment of documents", 1997). A text is compared by its hashes that are at most the largest kept one: these
     * are an even sample of its passages, and each is kept if the passage was in the texts.
     *
     * The file is the kept hashes in ascending order, 8 bytes each, big-endian.
     */

    /** The name of the file in the folder of a model. */
    public static final String FILE = "calibration-passages.bin";

    private static final int WORDS = 12;
    private static final int MOST = 4096;
    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;
    private static final Pattern BETWEEN = Pattern.compile("[^\\p{L}\\p{N}]+");

    private final long[] hashes; // ascending
    private final boolean all;

    private PassageHashes(long[] hashes, boolean all) {
        this.hashes = hashes;
        this.all = all;
    }

    /** The hashes of texts. */
    public static PassageHashes of(Collection<String> texts) {
        NavigableSet<Long> kept = new TreeSet<>();
        for (String text : texts) {
            for (long hash : hashes(text)) {
                if (kept.size() < MOST || hash < kept.last()) {
                    kept.add(hash);
                    if (kept.size() > MOST) {
                        kept.pollLast();
                    }
                }
            }
        }
        long[] hashes = kept.stream().mapToLong(Long::longValue).toArray();
        return new PassageHashes(hashes, hashes.length < MOST);
    }

    /**
     * Reads the hashes of the folder of a model; empty if it has none.
     *
     * @throws MalformedFileException if the file is damaged
     */
    public static Optional<PassageHashes> read(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Files.readAllBytes(file);
            if (bytes.length % Long.BYTES != 0 || bytes.length > MOST * Long.BYTES) {
                throw new MalformedFileException(file + " must have at most " + MOST + " numbers of 8 bytes but has "
                        + bytes.length + " bytes; quantize the model again");
            }
            long[] hashes = new long[bytes.length / Long.BYTES];
            ByteBuffer.wrap(bytes).asLongBuffer().get(hashes);
            Arrays.sort(hashes);
            return Optional.of(new PassageHashes(hashes, hashes.length < MOST));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** Writes the hashes into the folder of a model. */
    public void write(Path folder) {
        ByteBuffer bytes = ByteBuffer.allocate(hashes.length * Long.BYTES);
        bytes.asLongBuffer().put(hashes);
        try {
            Files.write(folder.resolve(FILE), bytes.array());
        } catch (IOException e) {
            throw new StorageException("Cannot write " + folder.resolve(FILE) + ": " + e, e);
        }
    }

    /** The share of the passages of a text that were in the texts, estimated; 0 for a text shorter than a passage. */
    public double shareOf(String text) {
        long compared = 0;
        long found = 0;
        for (long hash : hashes(text)) {
            if (all || hash <= hashes[hashes.length - 1]) {
                compared++;
                found += Arrays.binarySearch(hashes, hash) >= 0 ? 1 : 0;
            }
        }
        return compared == 0 ? 0 : (double) found / compared;
    }

    private static long[] hashes(String text) {
        List<String> words = BETWEEN.splitAsStream(text.toLowerCase(Locale.ROOT))
                .filter(word -> !word.isEmpty())
                .toList();
        long[] hashes = new long[Math.max(0, words.size() - WORDS + 1)];
        for (int i = 0; i < hashes.length; i++) {
            long hash = 0;
            for (String word : words.subList(i, i + WORDS)) {
                hash = (hash ^ word.hashCode()) * MULTIPLIER;
                hash ^= hash >>> 29;
            }
            hashes[i] = hash * MULTIPLIER;
        }
        return hashes;
    }
}
