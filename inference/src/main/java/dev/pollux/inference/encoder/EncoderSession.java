package dev.pollux.inference.encoder;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A loaded encoder graph: the tokens of one text in, its vector out.
 *
 * <p>Each text runs alone (batch size 1). Dynamically quantized activations share one scale per run, so in a batch the
 * vector of a text would depend on the other texts, even with equal lengths. Batch size 1 has no cost here: one text fills
 * a core, and no padding is computed. Each run uses one thread, because parallel texts scale better than the runtime's
 * intra-op threads.
 *
 * <p><em>Thread-safe; a {@link Scratch} is for one thread at a time.</em>
 */
final class EncoderSession implements AutoCloseable {

    private static final int[] NO_TYPES = {};

    private final String model;
    private final EncoderConfig config;
    private final boolean normalize;
    private final OrtSession session;
    private final String output;
    private final boolean pooledInGraph;
    private final boolean pinnable;
    private final int width; // of the output
    private final int dimension; // of the result

    /** Opens a session of a model given as a path or as bytes. */
    EncoderSession(ModelSource source, EncoderConfig config, EmbedderOptions options) {
        this.model = source.name();
        this.config = config;
        this.normalize = options.normalize();
        this.session = create(source, options.device());
        try {
            Map<String, NodeInfo> outputs = session.getOutputInfo();
            this.output = choose(outputs, options);
            NodeInfo chosen = Objects.requireNonNull(outputs.get(output), output);
            this.pinnable = ((TensorInfo) chosen.getInfo()).type == OnnxJavaType.FLOAT;
            long[] shape = probe();
            this.pooledInGraph = shape.length == 2;
            this.width = (int) shape[shape.length - 1];
            this.dimension = cut(widthAfterLayers());
        } catch (OrtException e) {
            close();
            throw NativeRuntime.failure(model + " does not run", e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static OrtSession create(ModelSource source, Device device) {
        try (OrtSession.SessionOptions settings = SessionSettings.of(device, 1, false)) {
            OrtEnvironment environment = NativeRuntime.environment();
            return source.bytes().isPresent()
                    ? environment.createSession(source.bytes().get(), settings)
                    : environment.createSession(source.path().toString(), settings);
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot load " + source.name() + ": " + e.getMessage(), e);
        }
    }

    private String choose(Map<String, NodeInfo> declared, EmbedderOptions options) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        declared.forEach((name, node) -> {
            if (node.getInfo() instanceof TensorInfo info
                    && (info.type == OnnxJavaType.FLOAT || info.type == OnnxJavaType.FLOAT16)) {
                ranks.put(name, info.getShape().length);
            }
        });
        if (options.output().isPresent()) {
            if (!ranks.containsKey(options.output().get())) {
                throw new IllegalArgumentException("output must be one of the float outputs " + ranks.keySet() + " of "
                        + model + " but was " + options.output().get());
            }
            return options.output().get();
        }
        if (options.pooling().isEmpty() && ranks.getOrDefault("sentence_embedding", 0) == 2) {
            return "sentence_embedding";
        }
        return named(ranks, "last_hidden_state")
                .or(() -> named(ranks, "token_embeddings"))
                .or(() -> first(ranks, 3))
                .or(() -> first(ranks, 2))
                .orElseThrow(() -> new UnsupportedModelException(model + " must have a float output of shape (batch,"
                        + " tokens, width) or (batch, width) but has " + declared.keySet()));
    }

    private static Optional<String> named(Map<String, Integer> ranks, String name) {
        return ranks.getOrDefault(name, 0) == 3 ? Optional.of(name) : Optional.empty();
    }

    private static Optional<String> first(Map<String, Integer> ranks, int rank) {
        return ranks.entrySet().stream()
                .filter(entry -> entry.getValue() == rank)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** The output's shape for two tokens: graphs often do not declare its width. */
    private long[] probe() throws OrtException {
        int[] ids = {config.padToken(), config.padToken()};
        try (Scratch scratch = scratch();
                NativeRuntime.RunGuard run = NativeRuntime.begin();
                OrtSession.Result result =
                        session.run(scratch.inputs.of(ids, NO_TYPES), Set.of(output), run.options())) {
            long[] shape = ((TensorInfo) result.get(0).getInfo()).getShape();
            boolean tokens = shape.length == 3 && shape[1] == ids.length;
            if (shape[0] != 1 || !tokens && shape.length != 2 || shape[shape.length - 1] < 1) {
                throw new UnsupportedModelException(model + ": output " + output
                        + " must have shape [1, 2, width] or [1, width] for two tokens but has "
                        + Arrays.toString(shape));
            }
            return shape;
        }
    }

    private int widthAfterLayers() {
        if (pooledInGraph) {
            return width;
        }
        int size = width * config.pooling().size();
        for (VectorLayer layer : config.layers()) {
            int next = layer.outputWidth(size);
            if (next < 0) {
                throw new UnsupportedModelException(
                        model + ": a " + layer.getClass().getSimpleName() + " module does not take vectors of length "
                                + size + ", which come out before it");
            }
            size = next;
        }
        return size;
    }

    private int cut(int all) {
        int wanted = config.dimension().orElse(all);
        if (wanted < 1 || wanted > all) {
            throw new IllegalArgumentException(
                    "dimension must be in [1, " + all + "], the vectors of " + model + ", but was " + wanted);
        }
        return wanted;
    }

    int dimension() {
        return dimension;
    }

    /** New working memory for one run at a time. */
    Scratch scratch() {
        return new Scratch();
    }

    /**
     * The vector of a text.
     *
     * @param ids (tokens), at least one
     * @param promptTokens the number of tokens in the prefix, with the special tokens before it
     * @return (dimension)
     */
    float[] embed(int[] ids, int promptTokens, Scratch scratch, NativeRuntime.RunGuard run) throws OrtException {
        return embed(ids, NO_TYPES, promptTokens, scratch, run);
    }

    /** The same with the type of each token, (tokens). */
    float[] embed(int[] ids, int[] types, int promptTokens, Scratch scratch, NativeRuntime.RunGuard run)
            throws OrtException {
        int rows = pooledInGraph ? 1 : ids.length;
        float[] values = scratch.run(ids, types, rows, run);
        float[] vector;
        if (pooledInGraph) {
            vector = Arrays.copyOf(values, width);
        } else {
            int from = config.promptPooled() ? 0 : Math.min(promptTokens, ids.length - 1);
            vector = pool(new Pooling.Tokens(values, from, ids.length, width));
        }
        if (vector.length > dimension) {
            vector = Arrays.copyOf(vector, dimension);
        }
        if (normalize) {
            vector = new VectorLayer.Normalize().apply(vector);
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new ModelExecutionException(model + " gave a vector that holds " + value
                        + "; its weights or their quantization are broken");
            }
        }
        return vector;
    }

    private float[] pool(Pooling.Tokens tokens) {
        float[] vector = new float[width * config.pooling().size()];
        int at = 0;
        for (Pooling pooling : config.pooling()) {
            pooling.pool(tokens, vector, at);
            at += width;
        }
        for (VectorLayer layer : config.layers()) {
            vector = layer.apply(vector);
        }
        return vector;
    }

    /**
     * The mean of a text's windows.
     *
     * @param vectors (windows, dimension), at least one
     * @param weights (windows)
     */
    float[] mean(float[][] vectors, List<Integer> weights) {
        if (vectors.length == 1) {
            return vectors[0];
        }
        double[] sums = new double[dimension];
        double total = 0;
        for (int w = 0; w < vectors.length; w++) {
            total += weights.get(w);
            for (int i = 0; i < dimension; i++) {
                sums[i] += (double) weights.get(w) * vectors[w][i];
            }
        }
        float[] mean = new float[dimension];
        for (int i = 0; i < dimension; i++) {
            mean[i] = (float) (sums[i] / total);
        }
        return normalize ? new VectorLayer.Normalize().apply(mean) : mean;
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot free " + model + ": " + e.getMessage(), e);
        }
    }

    /** Reused buffers that grow to the longest text; a run binds only direct memory. */
    final class Scratch implements AutoCloseable {

        private final GraphInputs inputs;
        private FloatBuffer pinned = FloatBuffer.allocate(0);
        private float[] values = {};

        private Scratch() {
            try {
                inputs = new GraphInputs(
                        NativeRuntime.environment(), model, session.getInputInfo(), config.firstPosition());
            } catch (OrtException e) {
                throw new ModelExecutionException("Cannot read the inputs of " + model + ": " + e.getMessage(), e);
            }
        }

        /** Runs the graph; (rows, width), valid until the next run. */
        private float[] run(int[] ids, int[] types, int rows, NativeRuntime.RunGuard run) throws OrtException {
            int size = Math.multiplyExact(rows, width);
            if (values.length < size) {
                values = new float[Math.max(size, Math.min(2 * values.length, 1 << 24))];
            }
            Map<String, OnnxTensor> bound = inputs.of(ids, types);
            if (pinnable) {
                runPinned(bound, rows, size, run);
            } else {
                try (OrtSession.Result result = session.run(bound, Set.of(output), run.options())) {
                    FloatBuffer converted = ((OnnxTensor) result.get(0)).getFloatBuffer();
                    checkSize(converted.remaining(), size);
                    converted.get(values, 0, size);
                }
            }
            return values;
        }

        private void runPinned(Map<String, OnnxTensor> bound, int rows, int size, NativeRuntime.RunGuard run)
                throws OrtException {
            if (pinned.capacity() < size) {
                pinned = ByteBuffer.allocateDirect(Math.multiplyExact(values.length, Float.BYTES))
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
            }
            long[] shape = pooledInGraph ? new long[] {1, width} : new long[] {1, rows, width};
            FloatBuffer target = pinned.clear().limit(size);
            try (OnnxTensor tensor = OnnxTensor.createTensor(NativeRuntime.environment(), target, shape)) {
                session.run(bound, Set.of(), Map.of(output, tensor), run.options())
                        .close();
            }
            pinned.clear().get(values, 0, size);
        }

        private void checkSize(int actual, int expected) {
            if (actual != expected) {
                throw new ModelExecutionException(model + ": output " + output + " must have " + expected
                        + " values for this text but has " + actual);
            }
        }

        /** Frees the tensors; the buffers are freed with this object. */
        @Override
        public void close() {
            inputs.close();
        }
    }
}
