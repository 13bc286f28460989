package dev.pollux.benchmarks;

import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.inference.quantize.QuantizerOptions;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The time to quantize a model of random weights at 4 bits in blocks of 32, as a ratio to reading its bytes and to the default
 * quantizer of ONNX Runtime in Python, in turns; and the memory of this process.
 *
 * <p>Arguments: a folder for the model, which a second run finds written; its size in MB; the number of rounds; the command of a
 * Python with {@code onnxruntime} and {@code onnx}, or {@code -} for none. For the memory, run it with a small heap, such as {@code
 * -Xmx256m}.
 */
public final class QuantizeRate {

    private static final int WIDTH = 4096;
    private static final long MATRIX = 4L * WIDTH * WIDTH;

    private static final String PYTHON = """
            import sys, time, onnx
            from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
            begin = time.time()
            model = onnx.load(sys.argv[1])
            quantizer = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=False, accuracy_level=4)
            quantizer.process()
            quantizer.model.save_model_to_file(sys.argv[2], True)
            print(time.time() - begin)
            """;

    private QuantizeRate() {}

    /** Runs it. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 4) {
            throw new IllegalArgumentException("usage: QuantizeRate <folder> <MB> <rounds> <python|->");
        }
        Path model = model(Path.of(args[0]), Long.parseLong(args[1]) * 1_000_000);
        List<List<Double>> seconds = Stream.generate(() -> (List<Double>) new ArrayList<Double>())
                .limit(4)
                .toList();
        for (int round = 0; round < Integer.parseInt(args[2]); round++) {
            seconds.get(0).add(read(model));
            seconds.get(1).add(quantize(model, QuantizationMethod.ROUND_TO_NEAREST));
            seconds.get(2).add(quantize(model, QuantizationMethod.SEARCH));
            if (!args[3].equals("-")) {
                seconds.get(3).add(python(args[3], model));
            }
        }
        List<String> names = List.of("reading", "rtn", "search", "ONNX Runtime, Python");
        for (int i = 0; i < names.size(); i++) {
            if (!seconds.get(i).isEmpty()) {
                System.out.printf(
                        Locale.ROOT,
                        "%-22s %7.2f s  %6.2f of reading%n",
                        names.get(i),
                        median(seconds.get(i)),
                        median(seconds.get(i)) / median(seconds.get(0)));
            }
        }
        memory();
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    /** Matrices of 4096 × 4096, one after the other. */
    private static Path model(Path folder, long bytes) throws IOException {
        Path file = Files.createDirectories(folder).resolve("model-" + bytes + ".onnx");
        if (Files.exists(file)) {
            return file;
        }
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, "tokens", WIDTH);
        for (int i = 0; i < Math.max(1, bytes / MATRIX); i++) {
            long seed = i;
            WeightSource source = sink -> random(seed, sink);
            Value w = g.weight(new Weight("w" + i, ElementType.FLOAT, Shape.of(WIDTH, WIDTH), source));
            x = g.op("MatMul", "y" + i, x, w);
        }
        g.output(x.name(), ElementType.FLOAT, "tokens", WIDTH);
        GraphWriter.write(g.build(), file);
        return file;
    }

    /** Sums of four uniform numbers, nearly normal. */
    private static void random(long seed, Consumer<ByteBuffer> sink) {
        ByteBuffer row = ByteBuffer.allocate(WIDTH * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        long state = seed * 0x9E3779B97F4A7C15L + 1;
        for (int r = 0; r < WIDTH; r++) {
            row.clear();
            for (int c = 0; c < WIDTH; c++) {
                state ^= state << 13;
                state ^= state >>> 7;
                state ^= state << 17;
                long sum = (state & 0xffff) + (state >>> 16 & 0xffff) + (state >>> 32 & 0xffff) + (state >>> 48);
                row.putFloat((sum - 131_070) * 1e-6f);
            }
            sink.accept(row.flip());
        }
    }

    private static double read(Path model) throws IOException {
        long begin = System.nanoTime();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(GraphWriter.dataFile(model), StandardOpenOption.READ)) {
            while (channel.read(buffer.clear()) >= 0) {
                buffer.flip();
            }
        }
        return (System.nanoTime() - begin) / 1e9;
    }

    private static double quantize(Path model, QuantizationMethod method) throws IOException {
        Path target = model.resolveSibling("quantized");
        WorkFolder.deleteTree(target);
        QuantizerOptions options =
                QuantizerOptions.builder().memory(64L << 20).hashInputs(false).build();
        QuantizationRecipe recipe =
                QuantizationRecipe.builder().method(method).headBits(4).build();
        long begin = System.nanoTime();
        OnnxQuantizer.create(options).quantize(model, target, recipe).run();
        double seconds = (System.nanoTime() - begin) / 1e9;
        WorkFolder.deleteTree(target);
        return seconds;
    }

    private static double python(String command, Path model) throws IOException, InterruptedException {
        Path target = Files.createTempDirectory(model.toAbsolutePath().getParent(), "python");
        try {
            Process process = new ProcessBuilder(
                            command,
                            "-c",
                            PYTHON,
                            model.toString(),
                            target.resolve("model.onnx").toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(command + " failed; it needs onnxruntime and onnx");
            }
            String[] lines = out.strip().split("\\R");
            return Double.parseDouble(lines[lines.length - 1]);
        } finally {
            WorkFolder.deleteTree(target);
        }
    }

    /** Peak resident memory, and what of the present one is not a mapped file, where the system tells. */
    private static void memory() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.isReadable(status)) {
            Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("VmHWM") || line.startsWith("RssAnon"))
                    .forEach(System.out::println);
        }
    }
}
