package dev.pollux.inference.internal.layerwise;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.MalformedFileException;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.layer.DerivedTensors;
import dev.pollux.inference.internal.layerwise.HiddenStates.Batch;
import dev.pollux.inference.internal.masked.Operators;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Runs a decoder of any supported architecture over whole texts, layer by layer, in 32-bit floats on the CPU. Memory contains
 * the weights of one layer and the states of the texts. Texts of equal length run in batches.
 *
 * <pre>{@code
 * LayerRunner runner = LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), 512, threads);
 * try (HiddenStates states = runner.embed(texts, context)) {
 *     for (int i = 0; i < runner.layers(); i++) {
 *         try (LayerRunner.Layer layer = runner.layer(i, context)) {
 *             Map<LinearInput, InputMoments> sums = layer.moments(states, runner.linearInputs(i), context); // optional
 *             layer.replace(factor, values, columns); // optional
 *             layer.advance(states, context);
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>A layer's weights are read from the tensor file each time the layer is opened. A quantizer can open a layer, read the inputs
 * of its matrices stage by stage, replace the matrices of each stage, and advance with the new ones. <em>Confined to one thread; one layer is open at a time.</em>
 */
public final class LayerRunner {

    private final LayerGraphs graphs;
    private final int threads;
    private final WeightBuffers buffers = new WeightBuffers();
    private boolean open;

    private LayerRunner(LayerGraphs graphs, int threads) {
        this.graphs = graphs;
        this.threads = threads;
    }

    /** Receives an input of matrices for the tokens of some texts. */
    @FunctionalInterface
    public interface InputReader {
        /**
         * Receives the input for the tokens of some texts.
         *
         * @param x (tokens, width), for an expert only its tokens, of which there may be none; the reader's own
         */
        void accept(LinearInput input, float[] x);
    }

    /**
     * Describes a model; reads no weights.
     *
     * @param tensors its tensors under the names of its architecture, open as long as the runner is used
     * @param mostTokens the maximum number of tokens of a text, at least 1
     * @param threads the number of threads of a run, at least 1
     * @throws dev.pollux.UnsupportedModelException if the architecture or something in the configuration is not supported
     * @throws MalformedFileException if a tensor is missing or its shape differs from the configuration
     */
    public static LayerRunner of(
            ModelConfig config, Settings settings, TensorFile tensors, int mostTokens, int threads) {
        if (mostTokens < 1) {
            throw new IllegalArgumentException("mostTokens must be at least 1 but was " + mostTokens);
        }
        return new LayerRunner(new LayerGraphs(config, settings, new DerivedTensors(tensors), mostTokens), threads);
    }

    /** The number of layers. */
    public int layers() {
        return graphs.layers();
    }

    /** The inputs of the matrices of a layer, in order. */
    public List<LinearInput> linearInputs(int layer) {
        return graphs.linearInputs(layer + 1);
    }

    /** The products with matrices of a layer, in order. */
    public List<LinearProduct> products(int layer) {
        return graphs.products(layer + 1);
    }

    /** The inputs of a layer in stages: an input depends on products of earlier stages and layers only. */
    public List<List<LinearInput>> stages(int layer) {
        return graphs.stages(layer + 1);
    }

    /** The stream after the last norm, which the head reads; {@link #lastNorm} computes it. */
    public LinearInput headInput(int width) {
        return new LinearInput(graphs.stream(graphs.parts() - 1).name(), List.of(), width);
    }

    /**
     * The states before the first layer.
     *
     * @param texts token ids, at least one per text
     * @throws MalformedFileException if an id is not in the table of embeddings
     * @throws ModelExecutionException if the runtime rejects the graph
     */
    public HiddenStates embed(List<int[]> texts, JobContext context) {
        HiddenStates states = new HiddenStates(texts);
        try (Layer embedding = open(0, context)) {
            for (Batch batch : states.batches()) {
                context.checkCancelled();
                for (LayerLowering.Lookup lookup : graphs.lookups()) {
                    StackedMatrix table = lookup.table();
                    batch.put(lookup.rows().name(), batch.tensor(rows(table, batch.ids()), table.columns()));
                }
            }
            embedding.advance(states, context);
            return states;
        } catch (RuntimeException | Error e) {
            states.close();
            throw e;
        }
    }

    private static float[] rows(StackedMatrix table, long[] ids) {
        int columns = table.columns();
        float[] rows = new float[Math.multiplyExact(ids.length, columns)];
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= table.rows()) {
                throw new MalformedFileException(table.names().get(0) + " has " + table.rows()
                        + " rows but a text has the token id " + ids[i]
                        + "; the tokenizer or the configuration belongs to another model");
            }
            float[] row = table.tensors().floats(table.names().get(0), ids[i] * columns, columns);
            System.arraycopy(row, 0, rows, i * columns, columns);
        }
        return rows;
    }

    /** Reads the weights of layer {@code layer}, in [0, {@link #layers()}). The caller closes it. */
    public Layer layer(int layer, JobContext context) {
        if (layer < 0 || layer >= layers()) {
            throw new IllegalArgumentException("layer must be in [0, " + (layers() - 1) + "] but was " + layer);
        }
        return open(layer + 1, context);
    }

    /** Reads the weights of the norm after the last layer, which is run like a layer. The caller closes it. */
    public Layer lastNorm(JobContext context) {
        return open(graphs.parts() - 1, context);
    }

    private Layer open(int part, JobContext context) {
        if (open) {
            throw new IllegalStateException("a layer must be closed before the next is opened");
        }
        graphs.tensors().forget();
        return new Layer(part, context);
    }

    /** A layer with its weights. <em>Confined to one thread.</em> */
    public final class Layer implements AutoCloseable {

        private final int part;
        private final Graph graph;
        private final Map<String, OnnxTensor> weights;
        private final OpenHandle handle;
        private boolean closed;

        private Layer(int part, JobContext context) {
            this.part = part;
            this.graph = graphs.part(part, graphs.computed(part));
            this.weights = buffers.read(graphs.weights(graph), context);
            this.handle = OpenHandle.of("LayerRunner.Layer " + (part - 1));
            open = true;
        }

        /**
         * Replaces the states before the layer by those after it.
         *
         * @throws dev.pollux.CancelledException if the job is cancelled; the states can then only be closed
         */
        public void advance(HiddenStates states, JobContext context) {
            Set<String> carried = graphs.carriedAfter(part);
            run(graph, states, context, (batch, results) -> {
                results.forEach(batch::put);
                batch.keep(carried);
            });
            states.finish(graphs.stream(part).name());
        }

        /** Passes the inputs of the layer's matrices to {@code reader}, batch by batch; the states stay. */
        public void readInputs(HiddenStates states, InputReader reader, JobContext context) {
            readInputs(states, graphs.linearInputs(part), reader, context);
        }

        /**
         * Passes some inputs of the layer's matrices to {@code reader}, batch by batch; the states stay.
         *
         * @param inputs some of {@link LayerRunner#linearInputs}, or {@link LayerRunner#headInput} for the last norm
         */
        public void readInputs(HiddenStates states, List<LinearInput> inputs, InputReader reader, JobContext context) {
            Set<String> carried = part == 0 ? Set.of() : graphs.carriedAfter(part - 1);
            List<String> computed = inputs.stream()
                    .map(LinearInput::value)
                    .filter(value -> !carried.contains(value))
                    .toList();
            run(graphs.part(part, computed), states, context, (batch, results) -> {
                try {
                    Map<String, OnnxTensor> all = new HashMap<>(batch.values());
                    all.putAll(results);
                    inputs.forEach(
                            input -> reader.accept(input, values(Objects.requireNonNull(all.get(input.value())))));
                } finally {
                    results.values().forEach(OnnxTensor::close);
                }
            });
        }

        /**
         * The sums over all tokens of some inputs of the layer's matrices; the states stay.
         *
         * @param inputs some of {@link LayerRunner#linearInputs}, or {@link LayerRunner#headInput} for the last norm
         * @return a sum for each input, in order; all of them are in memory at once
         */
        public Map<LinearInput, InputMoments> moments(
                HiddenStates states, List<LinearInput> inputs, JobContext context) {
            Set<String> carried = part == 0 ? Set.of() : graphs.carriedAfter(part - 1);
            List<String> computed = inputs.stream()
                    .map(LinearInput::value)
                    .filter(value -> !carried.contains(value))
                    .toList();
            MomentGraph moments = new MomentGraph(graphs.part(part, computed), inputs);
            run(moments.graph(), states, context, (batch, results) -> {
                try {
                    moments.add(results);
                } finally {
                    results.values().forEach(OnnxTensor::close);
                }
            });
            return moments.sums();
        }

        /**
         * Replaces a matrix until the layer is closed.
         *
         * @param factor its name, {@link LinearProduct#factor}
         * @param values (rows, columns) of the whole matrix
         * @param columns its number of columns
         */
        public void replace(String factor, float[] values, int columns) {
            FloatBuffer turned = buffers.bytes(factor).asFloatBuffer(); // (columns, rows)
            if (turned.capacity() != values.length) {
                throw new IllegalArgumentException(
                        factor + " must have " + turned.capacity() + " elements but was given " + values.length);
            }
            int rows = values.length / columns;
            float[] line = new float[rows];
            for (int c = 0; c < columns; c++) {
                for (int r = 0; r < rows; r++) {
                    line[r] = values[r * columns + c];
                }
                turned.put(c * rows, line);
            }
        }

        private static float[] values(OnnxTensor tensor) {
            FloatBuffer buffer = tensor.getFloatBuffer();
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            return values;
        }

        private void run(Graph toRun, HiddenStates states, JobContext context, Results results) {
            if (closed) {
                throw new IllegalStateException("layer " + (part - 1) + " must not run after it was closed");
            }
            if (states.next() != part - 1) {
                throw new IllegalStateException(
                        "layer " + (part - 1) + " must not run on the states before layer " + states.next());
            }
            if (toRun.outputs().isEmpty()) {
                states.batches().forEach(batch -> results.accept(batch, Map.of()));
                return;
            }
            try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, threads, false);
                    OrtSession session =
                            NativeRuntime.environment().createSession(GraphWriter.bytes(toRun), settings)) {
                for (Batch batch : states.batches()) {
                    context.checkCancelled();
                    results.accept(batch, run(session, batch, context));
                }
            } catch (OrtException e) {
                throw NativeRuntime.failure("Cannot run layer " + (part - 1), e);
            }
        }

        private Map<String, OnnxTensor> run(OrtSession session, Batch batch, JobContext context) {
            try (OnnxTensor ids = batch.tensor(batch.ids());
                    OnnxTensor mask = batch.tensor(batch.mask());
                    NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                Map<String, OnnxTensor> given = new HashMap<>(weights);
                given.putAll(batch.values());
                given.put(Operators.IDS.name(), ids);
                given.put(Operators.MASK.name(), mask);
                given.keySet().retainAll(session.getInputNames());
                return context.cancellable(run::terminate, () -> run(session, given, run.options(), context));
            }
        }

        private Map<String, OnnxTensor> run(
                OrtSession session, Map<String, OnnxTensor> given, OrtSession.RunOptions run, JobContext context) {
            context.checkCancelled();
            try {
                // the results are closed one by one, as soon as each is no longer read
                OrtSession.Result result = session.run(given, session.getOutputNames(), Map.of(), run);
                Map<String, OnnxTensor> values = new HashMap<>();
                result.forEach(entry -> values.put(entry.getKey(), (OnnxTensor) entry.getValue()));
                return values;
            } catch (OrtException e) {
                context.checkCancelled();
                throw NativeRuntime.failure("Cannot run layer " + (part - 1), e);
            }
        }

        /** Releases the weights. Idempotent. */
        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open = false;
                weights.values().forEach(OnnxTensor::close);
                handle.close();
            }
        }
    }

    @FunctionalInterface
    private interface Results {
        /** @param results the outputs by name; the receiver closes them */
        void accept(Batch batch, Map<String, OnnxTensor> results);
    }
}
