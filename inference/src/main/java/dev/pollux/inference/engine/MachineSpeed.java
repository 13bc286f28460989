package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.StorageException;
import dev.pollux.inference.decoder.ExportReport.StepCost;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The speed of 8-bit matrix multiplication on this machine, measured with the operator that takes most of a model's time. The
 * speed of a model is below this bound, because attention, norms and sampling take additional time. <em>Immutable.</em>
 *
 * @param bytesPerSecond bytes of matrices read per second while one token is multiplied
 * @param weightsPerSecond weights multiplied per second while many tokens are, counted once per token
 */
public record MachineSpeed(double bytesPerSecond, double weightsPerSecond) {

    private static final int COLUMNS = 2048;
    private static final int ROWS = 4096;
    private static final int BLOCK = 64;
    private static final int MATRICES = 12; // 100 MB together, which exceeds processor caches
    private static final int TOKENS = 128;
    private static final int ROUNDS = 5;

    /**
     * Measures for about a second. Needs 200 MB meanwhile, half of it as a temporary file in the cache folder.
     *
     * @throws dev.pollux.ModelExecutionException if the runtime fails
     * @throws StorageException if the cache cannot be written
     */
    public static MachineSpeed measure(EngineOptions options) {
        Path folder = null;
        try {
            folder = Files.createTempDirectory(Files.createDirectories(options.cache()), "speed");
            Path model = folder.resolve("speed.onnx");
            write(model);
            try (OrtSession.SessionOptions settings =
                            SessionSettings.of(options.device(), options.threads(), options.spinning());
                    OrtSession session = NativeRuntime.environment().createSession(model.toString(), settings)) {
                double one = seconds(session, 1);
                double many = seconds(session, TOKENS);
                double weights = (double) MATRICES * ROWS * COLUMNS;
                return new MachineSpeed(weights * (1 + (double) Float.BYTES / BLOCK) / one, weights * TOKENS / many);
            }
        } catch (OrtException e) {
            throw NativeRuntime.failure("Cannot measure the speed", e);
        } catch (IOException e) {
            throw new StorageException("Cannot write to the cache " + options.cache() + ": " + e, e);
        } finally {
            delete(folder);
        }
    }

    private static void write(Path model) {
        GraphBuilder graph = GraphBuilder.create();
        Value x = graph.input("x", ElementType.FLOAT, "tokens", COLUMNS);
        int blocks = COLUMNS / BLOCK;
        for (int i = 0; i < MATRICES; i++) {
            Value codes = graph.weight(new Weight(
                    "codes." + i,
                    ElementType.UINT8,
                    Shape.of(ROWS, blocks, BLOCK),
                    WeightSource.of(() -> ByteBuffer.allocate(ROWS * COLUMNS))));
            Value scales = graph.floats("scales." + i, () -> new float[ROWS * blocks], (long) ROWS * blocks);
            graph.output(graph.fused(
                    "MatMulNBits",
                    "y." + i,
                    List.of(x, codes, scales),
                    Map.of("K", COLUMNS, "N", ROWS, "bits", 8, "block_size", BLOCK, "accuracy_level", 4)));
        }
        GraphWriter.write(graph.build(), model);
    }

    /** The shortest duration of several runs. */
    private static double seconds(OrtSession session, int tokens) throws OrtException {
        double best = Double.MAX_VALUE;
        FloatBuffer values =
                ByteBuffer.allocateDirect(tokens * COLUMNS * Float.BYTES).asFloatBuffer();
        try (OnnxTensor x =
                OnnxTensor.createTensor(NativeRuntime.environment(), values, new long[] {tokens, COLUMNS})) {
            for (int round = 0; round < ROUNDS; round++) {
                long begin = System.nanoTime();
                try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                    session.run(Map.of("x", x), run.options()).close();
                }
                best = Math.min(best, (System.nanoTime() - begin) / 1e9);
            }
        }
        return best;
    }

    private static void delete(@org.jspecify.annotations.Nullable Path folder) {
        if (folder == null) {
            return;
        }
        try {
            for (String file : List.of("speed.onnx", "speed.onnx.data")) {
                Files.deleteIfExists(folder.resolve(file));
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    /** Upper bound of the tokens that a model generates per second. */
    public double decode(StepCost step) {
        return bytesPerSecond / step.bytes();
    }

    /** Upper bound of the prompt tokens that a model reads per second. */
    public double prefill(StepCost step) {
        return weightsPerSecond / step.weights();
    }
}
