package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.internal.OpenHandle;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * A decoder graph in the runtime: one native session, or two if the first step has its own graph. <em>Thread-safe</em>, except
 * that {@link #close()} must follow the last run.
 */
final class DecoderSession implements AutoCloseable {

    private final DecoderGraph graph;
    private final EngineOptions options;
    private final OrtSession session;
    private final OrtSession beginning; // the same session, unless the first step has its own graph
    private final OpenHandle handle;

    private DecoderSession(DecoderGraph graph, EngineOptions options, OrtSession session, OrtSession beginning) {
        this.graph = graph;
        this.options = options;
        this.session = session;
        this.beginning = beginning;
        this.handle = OpenHandle.of("DecoderModel " + graph.manifest().name());
    }

    /**
     * @throws ModelExecutionException if the runtime rejects the graph or lacks the device
     * @throws UnsupportedModelException if the states of an export would not stay in the memory of the CPU
     */
    static DecoderSession open(DecoderGraph graph, EngineOptions options) {
        if (graph.isExport()
                && graph.cache() != ElementType.FLOAT
                && !options.device().equals(Device.CPU)) {
            throw new UnsupportedModelException(graph.file() + " has keys and values of " + graph.cache()
                    + ", which the engine appends in place on the CPU only, but the device is "
                    + options.device().provider() + "; export the model with keys and values in 32-bit floats");
        }
        try (OrtSession.SessionOptions settings =
                SessionSettings.of(options.device(), options.threads(), options.spinning())) {
            OrtSession session = session(graph, options, settings);
            OrtSession beginning = graph.beginning().isEmpty()
                    ? session
                    : beginning(graph.beginning().get(), settings, session);
            return new DecoderSession(graph, options, session, beginning);
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot load " + graph.file() + ": " + e.getMessage(), e);
        }
    }

    private static OrtSession session(DecoderGraph graph, EngineOptions options, OrtSession.SessionOptions settings)
            throws OrtException {
        if (!options.adapters() || graph.manifest().projections().isEmpty()) {
            return NativeRuntime.environment().createSession(graph.file().toString(), settings);
        }
        return AdapterGraph.session(graph.file(), settings, graph.manifest().projections());
    }

    private static OrtSession beginning(Path file, OrtSession.SessionOptions settings, OrtSession other)
            throws OrtException {
        try {
            return NativeRuntime.environment().createSession(file.toString(), settings);
        } catch (OrtException e) {
            other.close();
            throw new ModelExecutionException("Cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    DecoderGraph graph() {
        return graph;
    }

    EngineOptions options() {
        return options;
    }

    /** The number of tokens in a full step of a long prompt. */
    int chunk() {
        return graph.chunk(options.prefillChunk());
    }

    /** The maximum number of tokens in a step that follows {@code past} others. */
    int limit(int past) {
        return graph.limit(past, options.prefillChunk());
    }

    /** Runs the graph on tensors that are already bound; {@code past} tokens have been read before. */
    void run(int past, Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs, NativeRuntime.RunGuard guard)
            throws OrtException {
        OrtSession due = past == 0 ? beginning : session;
        due.run(inputsOf(due, inputs), Set.of(), outputs, guard.options()).close();
    }

    /** The graph for the first step has no inputs for the past. */
    private Map<String, OnnxTensor> inputsOf(OrtSession due, Map<String, OnnxTensor> inputs) {
        if (due.equals(session)) {
            return inputs;
        }
        Map<String, OnnxTensor> known = new HashMap<>(inputs);
        known.keySet().retainAll(due.getInputNames());
        return known;
    }

    @Override
    public void close() {
        try {
            session.close();
            if (!beginning.equals(session)) {
                beginning.close();
            }
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot free " + graph.manifest().name() + ": " + e.getMessage(), e);
        } finally {
            handle.close();
        }
    }
}
