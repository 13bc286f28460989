package dev.pollux.inference.quantize.int8;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphCut;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.GraphSession;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A whole graph that runs over calibration inputs, one at a time. <em>Confined to one thread.</em> */
final class GraphRuns implements ActivationRuns {

    private final Graph graph;
    private final Path model;
    private final int threads;
    private final Collection<List<InputTensor>> inputs;

    /**
     * Runs of a graph.
     *
     * @param graph the float graph
     * @param model the file that the graph was read from, for its external data
     * @param threads of a run
     * @param inputs the inputs of each run
     */
    GraphRuns(Graph graph, Path model, int threads, Collection<List<InputTensor>> inputs) {
        this.graph = graph;
        this.model = model;
        this.threads = threads;
        this.inputs = inputs;
    }

    @Override
    public String model() {
        return model.toString();
    }

    @Override
    public void read(Collection<String> values, Reader reader, Pass pass) {
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException(
                    "The calibration set must have at least one input but has none; give texts of the kind that the model reads");
        }
        try (Runs runs = new Runs(values, reader)) {
            long done = 0;
            for (List<InputTensor> input : inputs) {
                pass.done(done++, inputs.size(), "inputs");
                runs.run(input, pass.context());
            }
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private RuntimeException failed(OrtException e) {
        return NativeRuntime.failure("Cannot run " + model + " over the calibration inputs", e);
    }

    /** A session that gives the wanted values. */
    private final class Runs implements AutoCloseable {

        private final Set<String> wanted;
        private final Reader reader;
        private final Set<String> computed = new LinkedHashSet<>();
        private final OrtSession session;
        private final OpenHandle handle;

        Runs(Collection<String> values, Reader reader) throws OrtException {
            this.wanted = new LinkedHashSet<>(values);
            this.reader = reader;
            Set<String> given = new LinkedHashSet<>();
            graph.inputs().forEach(input -> given.add(input.name()));
            List<Value> outputs = wanted.stream()
                    .filter(value -> !given.contains(value))
                    .map(value -> new Value(value, ElementType.FLOAT, Shape.UNKNOWN))
                    .toList();
            outputs.forEach(output -> computed.add(output.name()));
            try (OrtSession.SessionOptions settings = SessionSettings.of(Device.CPU, threads, false)) {
                // a fused operator no longer computes the values between the operators that it replaces
                settings.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
                session = GraphSession.of(GraphCut.between(graph, List.of(), outputs), model, settings);
            }
            this.handle = OpenHandle.of("Calibration of " + model);
        }

        void run(List<InputTensor> input, JobContext context) throws OrtException {
            Map<String, OnnxTensor> tensors = new HashMap<>();
            try {
                for (InputTensor one : input) {
                    collectInput(one);
                    if (session.getInputNames().contains(one.name())) {
                        long[] shape =
                                one.shape().stream().mapToLong(Long::longValue).toArray();
                        tensors.put(one.name(), Tensors.over(one.bytes(), one.type(), shape));
                    }
                }
                run(tensors, context);
            } finally {
                tensors.values().forEach(OnnxTensor::close);
            }
        }

        private void collectInput(InputTensor input) {
            if (wanted.contains(input.name()) && input.type() == ElementType.FLOAT) {
                FloatBuffer floats =
                        input.bytes().duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
                reader.accept(input.name(), values(floats));
            }
        }

        private void run(Map<String, OnnxTensor> tensors, JobContext context) {
            try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
                context.cancellable(run::terminate, () -> collect(tensors, run.options(), context));
            }
        }

        /** Whether it ran to its end; otherwise it throws. */
        private boolean collect(Map<String, OnnxTensor> tensors, OrtSession.RunOptions options, JobContext context) {
            context.checkCancelled();
            try (OrtSession.Result result = session.run(tensors, computed, options)) {
                for (Map.Entry<String, OnnxValue> entry : result) {
                    reader.accept(entry.getKey(), values(((OnnxTensor) entry.getValue()).getFloatBuffer()));
                }
                return true;
            } catch (OrtException e) {
                context.checkCancelled();
                throw failed(e);
            }
        }

        private float[] values(FloatBuffer buffer) {
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            return values;
        }

        @Override
        public void close() throws OrtException {
            handle.close();
            session.close();
        }
    }
}
