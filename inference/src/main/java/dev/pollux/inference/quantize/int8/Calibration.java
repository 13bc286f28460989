package dev.pollux.inference.quantize.int8;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
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
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs a float model over calibration inputs and finds the ranges of its values. One input at a time is in memory. <em>Confined
 * to one thread.</em>
 */
final class Calibration {

    private final Graph graph;
    private final Path model;
    private final int threads;
    private final RangeMethod method;

    /**
     * A calibration.
     *
     * @param graph the float graph
     * @param model the file that the graph was read from, for its external data
     * @param threads of a run
     */
    Calibration(Graph graph, Path model, int threads, RangeMethod method) {
        this.graph = graph;
        this.model = model;
        this.threads = threads;
        this.method = method;
    }

    /**
     * The ranges of values of the graph.
     *
     * @param values names of floats: inputs or results of nodes
     * @param inputs the inputs of each run; read once, or twice where the method needs it
     * @throws IllegalArgumentException if there are no inputs
     * @throws ModelExecutionException if a run fails, or a value is infinite
     */
    Map<String, ValueRange> ranges(
            Collection<String> values, Collection<List<InputTensor>> inputs, JobContext context) {
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException(
                    "The calibration set must have at least one input but has none; give texts of the kind that the model reads");
        }
        Map<String, RangeCollector> collectors = new LinkedHashMap<>();
        values.forEach(value -> collectors.put(value, new RangeCollector(method)));
        int passes = RangeCollector.passes(method);
        try (Runs runs = new Runs(collectors)) {
            for (int pass = 0; pass < passes; pass++) {
                long done = (long) pass * inputs.size();
                for (List<InputTensor> input : inputs) {
                    context.progress("calibrate", done++, (long) passes * inputs.size(), "inputs");
                    runs.run(input, context);
                }
                if (pass == 0 && passes > 1) {
                    collectors.values().forEach(RangeCollector::beginCounting);
                }
            }
        } catch (OrtException e) {
            throw failed(e);
        }
        Map<String, ValueRange> ranges = new LinkedHashMap<>();
        collectors.forEach((value, collector) -> ranges.put(value, range(value, collector)));
        return ranges;
    }

    private ValueRange range(String value, RangeCollector collector) {
        ObservedRange extremes = collector.extremes();
        if (!Float.isFinite(extremes.low()) || !Float.isFinite(extremes.high())) {
            throw new ModelExecutionException("The value " + value + " of " + model
                    + " is infinite for a calibration input; keep the operators that read it in float");
        }
        return collector.range();
    }

    private RuntimeException failed(OrtException e) {
        return NativeRuntime.failure("Cannot run " + model + " over the calibration inputs", e);
    }

    /** A session that gives the wanted values. */
    private final class Runs implements AutoCloseable {

        private final Map<String, RangeCollector> collectors;
        private final Set<String> computed = new LinkedHashSet<>();
        private final OrtSession session;
        private final OpenHandle handle;

        Runs(Map<String, RangeCollector> collectors) throws OrtException {
            this.collectors = collectors;
            Set<String> given = new LinkedHashSet<>();
            graph.inputs().forEach(input -> given.add(input.name()));
            List<Value> outputs = collectors.keySet().stream()
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
            RangeCollector collector = collectors.get(input.name());
            if (collector != null && input.type() == ElementType.FLOAT) {
                FloatBuffer floats =
                        input.bytes().duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
                collector.add(List.of(values(floats)));
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
                    RangeCollector collector = collectors.get(entry.getKey());
                    if (collector != null) {
                        collector.add(List.of(values(((OnnxTensor) entry.getValue()).getFloatBuffer())));
                    }
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
