package dev.pollux.inference.calibration;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.PolluxException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.engine.DecoderGraphs;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.PromptEncoder;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.inference.internal.step.StepInput;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * The Gram matrices G = Σ xxᵀ of the inputs x of a decoder's matrices, summed over the tokens of texts. They give the error of
 * a matrix W' that replaces W without the texts: Σ ‖W'x − Wx‖² = tr((W' − W) G (W' − W)ᵀ).
 *
 * <p>The model reads each text from its beginning. Products are computed in 32-bit floats and summed over texts in 64-bit
 * floats. Matrices of single experts, the embedding and the head have no Gram matrix. <em>Thread-safe.</em>
 */
public final class InputGrams {

    /** Bytes per element: a float of the product of one text, and half a double of the sum, which is stored as a triangle. */
    private static final int BYTES = Float.BYTES + Double.BYTES / 2;

    /** The product must fit into one buffer. */
    private static final int MAX_WIDTH = 16_384;

    private static final Pattern IN_LAYER = Pattern.compile("\\.\\d+\\.");

    private final DecoderGraph graph;
    private final EngineOptions options;
    private final List<Input> inputs;

    private InputGrams(DecoderGraph graph, EngineOptions options, List<Input> inputs) {
        this.graph = graph;
        this.options = options;
        this.inputs = inputs;
    }

    /**
     * The input x of one or more matrices. <em>Immutable.</em>
     *
     * @param value the name of x in the graph
     * @param matrices the names of the matrices in the checkpoint; for a matrix that is stored transposed or concatenated
     *     with others, the name of its part in the manifest
     * @param width the width of x
     */
    public record Input(String value, List<String> matrices, int width) {
        public Input {
            matrices = List.copyOf(matrices);
        }

        /** The same input, restricted to the matrices whose name matches; empty if there are none. */
        public Optional<Input> only(Predicate<String> wanted) {
            List<String> names = matrices.stream().filter(wanted).toList();
            return names.isEmpty() ? Optional.empty() : Optional.of(new Input(value, names, width));
        }
    }

    /** Receives finished Gram matrices. */
    @FunctionalInterface
    public interface Consumer {
        /**
         * Called once for each matrix.
         *
         * @param gram (width, width), symmetric; the array is not reused
         */
        void accept(Input input, float[] gram);
    }

    /**
     * Finds the inputs of a model: a GGUF file, a Hugging Face folder or an exported folder. A checkpoint is exported if it is
     * not in the cache.
     *
     * @param mostWidth in [1, 16384]; wider inputs are left out
     * @throws dev.pollux.StorageException if {@code path} does not exist
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws UnsupportedModelException if it is a ready-made ONNX decoder, or its architecture is not supported
     */
    public static InputGrams of(Path path, int mostWidth, EngineOptions options, JobContext context) {
        DecoderGraph graph = DecoderGraphs.opened(path, options, context);
        if (!graph.isExport()) {
            throw new UnsupportedModelException(
                    path + " is a graph that does not say where its matrices are; open the checkpoint itself");
        }
        return new InputGrams(graph, options, inputs(graph.manifest().projections(), mostWidth));
    }

    /**
     * The inputs of the matrices in layers, which are those with a number in their name.
     *
     * @param mostWidth in [1, 16384]; wider inputs are left out
     */
    public static List<Input> inputs(List<Projection> projections, int mostWidth) {
        if (mostWidth < 1 || mostWidth > MAX_WIDTH) {
            throw new IllegalArgumentException("mostWidth must be in [1, " + MAX_WIDTH + "] but was " + mostWidth);
        }
        Map<String, Input> inputs = new LinkedHashMap<>();
        for (Projection projection : projections) {
            List<String> names = projection.weights().stream()
                    .filter(name -> IN_LAYER.matcher(name).find())
                    .toList();
            if (!projection.lookup() && !names.isEmpty() && projection.columns() <= mostWidth) {
                Input input = new Input(projection.input(), names, projection.columns());
                inputs.merge(input.value(), input, InputGrams::joined);
            }
        }
        return List.copyOf(inputs.values());
    }

    private static Input joined(Input one, Input other) {
        List<String> names = new ArrayList<>(one.matrices());
        names.addAll(other.matrices());
        return new Input(one.value(), names, one.width());
    }

    /** The same, restricted to the inputs of some matrices. */
    public InputGrams only(Predicate<String> wanted) {
        return new InputGrams(
                graph,
                options,
                inputs.stream().flatMap(input -> input.only(wanted).stream()).toList());
    }

    /** The inputs, in the order of layers. */
    public List<Input> inputs() {
        return inputs;
    }

    /**
     * Splits a text into token sequences that are read independently.
     *
     * @param window maximum tokens of a piece, at least 1; limited by the context length of the model
     * @param mostTokens number of tokens after which the text is truncated
     */
    public List<int[]> windows(String text, int window, int mostTokens) {
        if (window < 1) {
            throw new IllegalArgumentException("window must be at least 1 but was " + window);
        }
        int[] ids;
        try (PromptEncoder prompts = PromptEncoder.open(graph)) {
            ids = prompts.tokens(Prompt.text(text));
        }
        int most = Math.min(ids.length, mostTokens);
        int step = Math.min(window, graph.manifest().contextLength());
        List<int[]> windows = new ArrayList<>();
        for (int from = 0; from < most; from += step) {
            windows.add(Arrays.copyOfRange(ids, from, Math.min(most, from + step)));
        }
        return windows;
    }

    /**
     * The number of passes over the texts for which sums and products take at most {@code memory} bytes. One pass suffices if
     * all matrices fit; otherwise each pass takes as many as fit, at least one. The runtime fuses the operators of each pass
     * differently, so the number of passes can change the last bits of the result.
     */
    public static int passes(List<Input> inputs, long memory) {
        return groups(inputs, memory).size();
    }

    private static List<List<Input>> groups(List<Input> inputs, long memory) {
        List<List<Input>> groups = new ArrayList<>();
        long left = 0;
        for (Input input : inputs) {
            long bytes = BYTES * (long) input.width() * input.width();
            if (groups.isEmpty() || bytes > left) {
                groups.add(new ArrayList<>());
                left = memory;
            }
            groups.get(groups.size() - 1).add(input);
            left -= bytes;
        }
        return groups;
    }

    /**
     * Reads texts and computes the matrices.
     *
     * @param texts token ids, at least one per text
     * @param memory limit for sums and products, see {@link #passes}; weights take additional memory
     * @param context receives the progress in tokens
     * @throws CancelledException if the job is cancelled
     * @throws ModelExecutionException if the runtime rejects the graph or lacks the device
     */
    public void over(List<int[]> texts, long memory, Consumer consumer, JobContext context) {
        List<List<Input>> groups = groups(inputs, memory);
        long tokens = texts.stream().mapToLong(text -> text.length).sum();
        for (int i = 0; i < groups.size(); i++) {
            long before = i * tokens;
            long all = groups.size() * tokens;
            try (Pass pass = new Pass(groups.get(i))) {
                long read = 0;
                for (int[] text : texts) {
                    context.progress("read", before + read, all, "tokens");
                    pass.read(text, context);
                    read += text.length;
                }
                pass.give(consumer);
            } catch (OrtException e) {
                throw failed(e);
            }
            context.progress("read", before + tokens, all, "tokens");
        }
    }

    private PolluxException failed(OrtException e) {
        return NativeRuntime.failure(
                "Cannot read texts with " + graph.manifest().name(), e);
    }

    /** The sum for one input. <em>Confined to one thread.</em> */
    private record Sum(Input input, double[] lower, FloatBuffer product) { // (width · (width + 1) / 2), (width, width)

        /** Adds the product of a text. */
        void add() {
            float[] line = new float[input.width()];
            int at = 0;
            for (int i = 0; i < line.length; i++) {
                product.get(i * line.length, line, 0, i + 1);
                for (int j = 0; j <= i; j++) {
                    lower[at++] += line[j];
                }
            }
        }

        float[] whole() {
            int width = input.width();
            float[] gram = new float[width * width];
            int at = 0;
            for (int i = 0; i < width; i++) {
                for (int j = 0; j <= i; j++) {
                    float value = (float) lower[at++];
                    gram[i * width + j] = value;
                    gram[j * width + i] = value;
                }
            }
            return gram;
        }
    }

    /** The sums of one pass. <em>Confined to one thread.</em> */
    private final class Pass implements AutoCloseable {

        private final List<Sum> sums = new ArrayList<>();
        private final Map<String, OnnxTensor> outputs = new HashMap<>();
        private final Map<String, OnnxTensor> bound = new HashMap<>();
        private final List<OnnxTensor> states = new ArrayList<>();
        private final List<StepInput> given;
        private final OrtSession session;
        private final OpenHandle handle;

        Pass(List<Input> wanted) throws OrtException {
            DecoderManifest manifest = graph.manifest();
            Map<String, Integer> widths = new LinkedHashMap<>();
            wanted.forEach(input -> widths.put(input.value(), input.width()));
            try (OrtSession.SessionOptions settings =
                    SessionSettings.of(options.device(), options.threads(), options.spinning())) {
                this.session = GramGraph.session(graph.file(), settings, widths);
            }
            this.handle = OpenHandle.of("InputGrams of " + manifest.name());
            this.given = graph.inputs().stream().map(StepInput::new).toList();
            try {
                wanted.forEach(this::begin);
                manifest.states().forEach(this::begin);
            } catch (RuntimeException | Error e) {
                close();
                throw e;
            }
        }

        private void begin(Input input) {
            int width = input.width();
            ByteBuffer product = Tensors.direct(width * width * Float.BYTES);
            sums.add(new Sum(input, new double[width * (width + 1) / 2], product.asFloatBuffer()));
            outputs.put(GramGraph.gram(input.value()), Tensors.over(product, ElementType.FLOAT, width, width));
        }

        /** The state before the first token. */
        private void begin(StateTensor state) {
            long[] shape = state.shape(1, 0);
            long size = LongStream.of(shape).reduce(state.type().bytes(), Math::multiplyExact);
            OnnxTensor tensor = Tensors.over(Tensors.direct(Math.toIntExact(size)), state.type(), shape);
            states.add(tensor);
            bound.put(state.input(), tensor);
        }

        void read(int[] text, JobContext context) {
            int change = graph.manifest().rotarySwitch();
            long rotary = change > 0 && text.length > change ? graph.manifest().contextLength() : 0;
            GraphInput.Step step = GraphInput.Step.of(text, 0, 0, rotary);
            given.forEach(input -> input.write(step, bound));
            bound.keySet().retainAll(session.getInputNames()); // the reduced graph lacks the other inputs
            try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                context.cancellable(run::terminate, () -> run(run.options(), context));
            }
            sums.forEach(Sum::add);
        }

        /** Whether it ran to its end; otherwise it throws. */
        private boolean run(OrtSession.RunOptions run, JobContext context) {
            context.checkCancelled();
            try {
                session.run(bound, Set.of(), outputs, run).close();
                return true;
            } catch (OrtException e) {
                context.checkCancelled();
                throw failed(e);
            }
        }

        void give(Consumer consumer) {
            sums.forEach(sum -> consumer.accept(sum.input(), sum.whole()));
        }

        @Override
        public void close() {
            outputs.values().forEach(OnnxTensor::close);
            states.forEach(OnnxTensor::close);
            given.forEach(StepInput::close);
            try {
                session.close();
            } catch (OrtException e) {
                throw new ModelExecutionException(
                        "Cannot free " + graph.manifest().name() + ": " + e.getMessage(), e);
            } finally {
                handle.close();
            }
        }
    }
}
