package dev.pollux.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;

/**
 * An encoder of random numbers in the shape of all-MiniLM-L6-v2 (22.6 million parameters, safetensors in 32-bit floats): the
 * time of its export, as a ratio to copying the file, and texts a second in floats and at 8 bits, beside the bundled int8
 * model of the same shape.
 *
 * <p>Arguments: a folder for the files (default: a temporary one) and the number of rounds (default 7). The contestants take
 * turns over the same 100 texts of about 100 tokens; medians are shown, by the clock and by the processor time of a text.
 */
public final class CheckpointEmbeddingRate {

    private static final int WIDTH = 384;
    private static final int INNER = 1536;
    private static final int LAYERS = 6;
    private static final int VOCABULARY = 30_522;
    private static final int POSITIONS = 512;
    private static final int TEXTS = 100;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final PrintStream out;
    private final Path folder;
    private final int rounds;

    private CheckpointEmbeddingRate(PrintStream out, Path folder, int rounds) {
        this.out = out;
        this.folder = folder;
        this.rounds = rounds;
    }

    /** Runs the comparison. */
    public static void main(String[] args) throws IOException {
        Path folder = args.length > 0 ? Files.createDirectories(Path.of(args[0])) : Files.createTempDirectory("rate");
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
        new CheckpointEmbeddingRate(System.out, folder, rounds).run();
    }

    private void run() throws IOException {
        write();
        for (EncoderWeights weights : EncoderWeights.values()) {
            exported(weights);
        }
        List<String> texts = texts();
        try (OnnxEmbedder floats = open(EncoderWeights.FLOAT);
                OnnxEmbedder bytes = open(EncoderWeights.BITS_8);
                OnnxEmbedder bundled = OnnxEmbedder.bundled()) {
            out.printf("%d texts of %d tokens%n", texts.size(), bundled.countTokens(texts.get(0)));
            Map<String, OnnxEmbedder> contestants = new LinkedHashMap<>();
            contestants.put("checkpoint, floats", floats);
            contestants.put("checkpoint, 8 bits", bytes);
            contestants.put("bundled, int8", bundled);
            Map<String, List<double[]>> times = new LinkedHashMap<>();
            for (int round = -1; round < rounds; round++) { // the first warms up
                for (Map.Entry<String, OnnxEmbedder> contestant : contestants.entrySet()) {
                    double[] time = measure(contestant.getValue(), texts);
                    if (round >= 0) {
                        times.computeIfAbsent(contestant.getKey(), name -> new ArrayList<>())
                                .add(time);
                    }
                }
            }
            times.forEach((name, all) -> out.printf(
                    "%-20s %6.0f texts/s, %6.2f ms of processor a text%n",
                    name,
                    texts.size() / median(all, time -> time[0]),
                    1e3 * median(all, time -> time[1]) / texts.size()));
        }
    }

    private static double[] measure(OnnxEmbedder embedder, List<String> texts) {
        long begin = System.nanoTime();
        long busy = SYSTEM.getProcessCpuTime();
        embedder.embed(texts, TextRole.PASSAGE);
        return new double[] {(System.nanoTime() - begin) / 1e9, (SYSTEM.getProcessCpuTime() - busy) / 1e9};
    }

    private static double median(List<double[]> times, Function<double[], Double> part) {
        return times.stream().map(part).sorted().toList().get(times.size() / 2);
    }

    private OnnxEmbedder open(EncoderWeights weights) {
        EmbedderOptions options = EmbedderOptions.builder()
                .weights(weights)
                .maxTokens(256)
                .cache(folder.resolve("cache"))
                .build();
        return OnnxEmbedder.open(folder, options);
    }

    /** The median export, held against a copy of the same file that is forced to the disk as the export is. */
    private void exported(EncoderWeights weights) throws IOException {
        List<double[]> times = new ArrayList<>();
        for (int round = -1; round < rounds; round++) {
            Path target = Files.createTempDirectory(folder, "export").resolve("model");
            long begin = System.nanoTime();
            EncoderExport.export(folder, target, weights).run();
            double export = (System.nanoTime() - begin) / 1e9;
            begin = System.nanoTime();
            Path copy = Files.copy(folder.resolve("model.safetensors"), target.resolveSibling("copy"));
            try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            if (round >= 0) {
                times.add(new double[] {export, (System.nanoTime() - begin) / 1e9});
            }
        }
        double export = median(times, time -> time[0]);
        double copy = median(times, time -> time[1]);
        out.printf("export %s: %.2f s, %.1f times a copy (%.2f s)%n", weights, export, export / copy, copy);
    }

    private static List<String> texts() {
        Random random = new Random(3);
        String[] words = {"the", "model", "of", "merge", "weights", "and", "index", "words"};
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < TEXTS; i++) {
            StringBuilder text = new StringBuilder("text " + i);
            for (int word = 0; word < 100; word++) {
                text.append(' ').append(words[random.nextInt(words.length)]);
            }
            texts.add(text.toString());
        }
        return texts;
    }

    private void write() throws IOException {
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["BertModel"], "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
                 "num_attention_heads": 12, "vocab_size": %d, "max_position_embeddings": %d, "type_vocab_size": 2}
                """.formatted(WIDTH, INNER, LAYERS, VOCABULARY, POSITIONS));
        try (InputStream tokenizer = Objects.requireNonNull(
                OnnxEmbedder.class.getClassLoader().getResourceAsStream("all-minilm-l6-v2-q-tokenizer.json"))) {
            Files.write(folder.resolve("tokenizer.json"), tokenizer.readAllBytes());
        }
        Map<String, int[]> tensors = tensors();
        StringBuilder header = new StringBuilder();
        long at = 0;
        for (Map.Entry<String, int[]> tensor : tensors.entrySet()) {
            long end = at + (long) Float.BYTES * size(tensor.getValue());
            header.append(header.isEmpty() ? "{" : ",")
                    .append('"')
                    .append(tensor.getKey())
                    .append("\":{\"dtype\":");
            header.append("\"F32\",\"shape\":").append(Arrays.toString(tensor.getValue()));
            header.append(",\"data_offsets\":[")
                    .append(at)
                    .append(',')
                    .append(end)
                    .append("]}");
            at = end;
        }
        byte[] head = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        Random random = new Random(1);
        try (OutputStream file = Files.newOutputStream(folder.resolve("model.safetensors"))) {
            file.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(head.length)
                    .array());
            file.write(head);
            for (int[] shape : tensors.values()) {
                ByteBuffer data = ByteBuffer.allocate(Float.BYTES * size(shape)).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining()) {
                    data.putFloat((random.nextFloat() - 0.5f) * 0.08f);
                }
                file.write(data.array());
            }
        }
    }

    private static Map<String, int[]> tensors() {
        Map<String, int[]> tensors = new LinkedHashMap<>();
        tensors.put("embeddings.word_embeddings.weight", new int[] {VOCABULARY, WIDTH});
        tensors.put("embeddings.position_embeddings.weight", new int[] {POSITIONS, WIDTH});
        tensors.put("embeddings.token_type_embeddings.weight", new int[] {2, WIDTH});
        norm(tensors, "embeddings.LayerNorm");
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "encoder.layer." + layer + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(tensors, at + "attention." + part, WIDTH, WIDTH);
            }
            norm(tensors, at + "attention.output.LayerNorm");
            linear(tensors, at + "intermediate.dense", INNER, WIDTH);
            linear(tensors, at + "output.dense", WIDTH, INNER);
            norm(tensors, at + "output.LayerNorm");
        }
        return tensors;
    }

    private static void linear(Map<String, int[]> tensors, String name, int rows, int columns) {
        tensors.put(name + ".weight", new int[] {rows, columns});
        tensors.put(name + ".bias", new int[] {rows});
    }

    private static void norm(Map<String, int[]> tensors, String name) {
        tensors.put(name + ".weight", new int[] {WIDTH});
        tensors.put(name + ".bias", new int[] {WIDTH});
    }

    private static int size(int[] shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
