package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.finetune.internal.training.ModelGraphs.Backward;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Runs an encoder forwards and backwards with the changes of {@link Trainables}. <em>Confined to one thread.</em> */
public final class EncoderModel implements AutoCloseable {

    private final EncoderGraphs graphs;
    private final double dropout;
    private final Memory memory = new Memory();
    private final Programs programs;
    private final ModelWeights weights;
    private final Program forward;
    private final List<Weight> read;
    private final Map<String, FloatTensor> inputs = new LinkedHashMap<>();
    private final OpenHandle handle;
    private @Nullable Program backward;
    private Map<String, Value> gradients = Map.of();

    /**
     * What an encoder is and how it runs. <em>Immutable.</em>
     *
     * @param graph as it is exported, in floats
     * @param tensors its tensors, open as long as the model is used
     * @param threads of the runtime
     * @param weightMemory bytes of weights that stay in memory
     */
    public record Setting(Graph graph, TensorFile tensors, int threads, long weightMemory) {

        /** The names of the matrices that it multiplies with, in order. */
        public Set<String> matrices() {
            Set<String> names = new LinkedHashSet<>();
            for (StackedMatrix matrix : new EncoderGraphs(graph, tensors, Trainables.NONE).matrices()) {
                names.addAll(matrix.names());
            }
            return names;
        }

        /**
         * An estimate of the bytes of a backward pass besides weights.
         *
         * @param texts in a run
         * @param tokens of each, padding included
         */
        public long activations(Trainables trainables, int texts, int tokens) {
            EncoderGraphs graphs = new EncoderGraphs(graph, tensors, trainables);
            return new ActivationMemory(texts, tokens)
                    .bytes(graphs.forward(), graphs.backward().graph());
        }
    }

    /**
     * Prepares the model; reads no weights.
     *
     * @param residuals what is taken out of the matrices
     * @throws dev.pollux.UnsupportedModelException if a tensor cannot be trained
     */
    public EncoderModel(Setting setting, Trainables trainables, Residuals residuals) {
        this.graphs = new EncoderGraphs(setting.graph, setting.tensors, trainables);
        this.dropout = trainables.dropout();
        int columns = graphs.matrices().stream()
                .mapToInt(StackedMatrix::columns)
                .max()
                .orElse(1);
        this.programs = new Programs(setting.threads, columns);
        this.weights = new ModelWeights(memory, setting.weightMemory, residuals.transposedChanges(graphs.matrices()));
        try {
            Graph cut = graphs.forward();
            this.forward = programs.of(cut);
            this.read = graphs.weights(cut);
        } catch (RuntimeException | Error e) {
            programs.close();
            throw e;
        }
        graphs.trained()
                .values()
                .forEach(input -> inputs.put(
                        input.name(),
                        memory.hold(input.shape().stream()
                                .mapToLong(Long::longValue)
                                .toArray())));
        refresh();
        this.handle = OpenHandle.of("EncoderModel");
    }

    /** Takes over the values of the parameters. */
    public void refresh() {
        graphs.trained()
                .values()
                .forEach(input ->
                        Objects.requireNonNull(inputs.get(input.name())).set(input));
    }

    /** The length of the vector of a token, or the number of scores of a text. */
    public int width() {
        return Math.toIntExact(graphs.result().shape().size(-1));
    }

    private long[] sizes(TextBatch batch) {
        return graphs.result().shape().rank() == 2
                ? new long[] {batch.count(), width()}
                : new long[] {batch.count(), batch.length(), width()};
    }

    /**
     * The vectors of tokens, (texts, tokens, width), or the scores of texts, (texts, labels).
     *
     * @param seed of dropout; empty for none
     */
    public float[] forward(TextBatch batch, OptionalLong seed, JobContext context) {
        try (Given given = new Given(batch, seed, context);
                FloatTensor result = memory.take(sizes(batch))) {
            forward.run(given.tensors, Map.of(graphs.result().name(), result.tensor()), context);
            return result.array();
        }
    }

    /**
     * Adds the gradients of L to those of the parameters.
     *
     * @param seed as for {@link #forward}
     * @param gradient dL/dy in the shape of the result of {@link #forward}
     */
    public void backward(TextBatch batch, OptionalLong seed, float[] gradient, JobContext context) {
        Program program = prepared();
        try (Given given = new Given(batch, seed, context);
                FloatTensor from = memory.take(sizes(batch)).set(gradient)) {
            given.tensors.put(EncoderGraphs.SEED, from.tensor());
            Map<String, FloatTensor> found = new LinkedHashMap<>();
            Map<String, OnnxTensor> results = new HashMap<>();
            gradients.forEach((name, value) -> {
                TrainedInput input = Objects.requireNonNull(graphs.trained().get(name));
                FloatTensor one = memory.take(
                        input.shape().stream().mapToLong(Long::longValue).toArray());
                found.put(name, one);
                results.put(value.name(), one.tensor());
            });
            program.run(given.tensors, results, context);
            found.forEach((name, one) -> {
                one.addTo(Objects.requireNonNull(graphs.trained().get(name)));
                one.close();
            });
        }
    }

    private Program prepared() {
        Program known = backward;
        if (known == null) {
            Backward made = graphs.backward();
            known = programs.of(made.graph());
            backward = known;
            gradients = made.of();
        }
        return known;
    }

    /** The bytes of direct memory allocated so far. */
    public long allocated() {
        return memory.allocated();
    }

    @Override
    public void close() {
        inputs.values().forEach(FloatTensor::close);
        weights.close();
        programs.close();
        handle.close();
    }

    /** The inputs of a run. */
    private final class Given implements AutoCloseable {

        private final Map<String, OnnxTensor> tensors = new HashMap<>();
        private final List<OnnxTensor> own = new ArrayList<>();
        private final ModelWeights.Loaded loaded;
        private final DropoutMasks masks;

        Given(TextBatch batch, OptionalLong seed, JobContext context) {
            tensors.putAll(TrainableModel.tensors(inputs));
            put("input_ids", batch.ids(), batch);
            put("attention_mask", batch.mask(), batch);
            put("token_type_ids", batch.types(), batch);
            this.loaded = weights.load(read, context);
            tensors.putAll(loaded.tensors());
            this.masks = DropoutMasks.of(graphs.masks(), batch.ids().length, seed, dropout, memory);
            masks.with(tensors);
        }

        private void put(String name, long[] values, TextBatch batch) {
            ByteBuffer bytes = Tensors.direct(values.length * Long.BYTES);
            bytes.asLongBuffer().put(values);
            OnnxTensor tensor = Tensors.over(bytes, ElementType.INT64, batch.count(), batch.length());
            own.add(tensor);
            tensors.put(name, tensor);
        }

        @Override
        public void close() {
            masks.close();
            loaded.close();
            own.forEach(OnnxTensor::close);
        }
    }
}
