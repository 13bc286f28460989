package dev.pollux.benchmarks;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.internal.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Vectors of distinct sentences by the bundled embedding model, for measurements of vector search.
 *
 * <p>Arguments: the file to write, the number of vectors, then JSON or JSON Lines files or folders of them, every string in
 * which is cut into sentences. The file holds the vectors as floats in little-endian order. Sentences are drawn at random
 * with a fixed seed.
 */
public final class SentenceVectors {

    private static final int SHORTEST = 30;
    private static final int LONGEST = 250; // no more tokens than the model reads, whatever the text
    private static final int BATCH = 64;

    private final Set<String> sentences = new LinkedHashSet<>();

    private SentenceVectors() {}

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        if (args.length < 3) {
            throw new IllegalArgumentException("usage: SentenceVectors <file> <number> <file or folder>...");
        }
        SentenceVectors from = new SentenceVectors();
        for (String path : List.of(args).subList(2, args.length)) {
            try (Stream<Path> files = Files.walk(Path.of(path))) {
                for (Path file : files.filter(f -> f.toString().matches(".*\\.jsonl?"))
                        .sorted()
                        .toList()) {
                    from.read(file);
                }
            }
        }
        from.write(Path.of(args[0]), Integer.parseInt(args[1]));
    }

    private void read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (file.toString().endsWith(".json")) {
            add(Json.parse(ByteBuffer.wrap(bytes), file.toString()));
        } else {
            new String(bytes, StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .forEach(line ->
                            add(Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), file.toString())));
        }
    }

    private void add(Object value) {
        if (value instanceof String text) {
            for (String sentence : text.split("(?<=[.!?])\\s+|\\n+")) {
                String stripped = sentence.strip();
                if (stripped.length() >= SHORTEST && stripped.length() <= LONGEST) {
                    sentences.add(stripped);
                }
            }
        } else if (value instanceof List<?> list) {
            list.forEach(this::add);
        } else if (value instanceof Map<?, ?> map) {
            map.values().forEach(this::add);
        }
    }

    private void write(Path file, int count) throws IOException {
        List<String> drawn = new ArrayList<>(sentences);
        Collections.shuffle(drawn, new Random(1));
        if (drawn.size() < count) {
            throw new IllegalArgumentException(
                    "the files hold " + drawn.size() + " sentences where " + count + " are needed");
        }
        try (Embedder embedder = OnnxEmbedder.bundled();
                FileChannel to = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            for (int from = 0; from < count; from += BATCH) {
                float[][] rows = embedder.embed( // (batch, dimension)
                        drawn.subList(from, Math.min(count, from + BATCH)), TextRole.PASSAGE);
                ByteBuffer bytes = ByteBuffer.allocate(rows.length * rows[0].length * Float.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
                for (float[] row : rows) {
                    bytes.asFloatBuffer().put(row);
                    bytes.position(bytes.position() + row.length * Float.BYTES);
                }
                to.write(bytes.flip());
                if (from % (100 * BATCH) == 0) {
                    System.err.println(from + " of " + count);
                }
            }
        }
    }
}
