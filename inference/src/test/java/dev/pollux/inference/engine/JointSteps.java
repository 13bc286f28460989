package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.step.StepInput;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Steps of several sequences that share a run of the graph, with their states. <em>Confined to one thread.</em> */
final class JointSteps implements AutoCloseable {

    private final DecoderSession session;
    private final DecoderManifest manifest;
    private final KeyValueCache cache;
    private final RecurrentStates recurrent;
    private final List<StepInput> given;
    private final StepLogits logits;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs = new HashMap<>();

    /**
     * @param most the tokens of the longest sequence, at most
     * @param adapter the factors of an adapter by input; empty for a graph without room for them
     */
    JointSteps(DecoderSession session, int sequences, int most, Map<String, OnnxTensor> adapter) {
        this.session = session;
        DecoderGraph graph = session.graph();
        this.manifest = graph.manifest();
        this.inputs = new HashMap<>(adapter);
        this.cache =
                new KeyValueCache(sequences, manifest.states(Kind.KEY_VALUE), graph.cache(), manifest.contextLength());
        this.recurrent = new RecurrentStates(sequences, manifest.states(Kind.RECURRENT));
        this.given = graph.inputs().stream().map(StepInput::new).toList();
        this.logits = new StepLogits(graph.logits(), manifest.vocabularySize());
        cache.reserve(most, 0, inputs, outputs);
        recurrent.bind(inputs, outputs);
    }

    void run(GraphInput.Step step) {
        given.forEach(input -> input.write(step, inputs));
        logits.bind(step, outputs);
        recurrent.bind(inputs, outputs);
        try (NativeRuntime.RunGuard guard = NativeRuntime.begin()) {
            session.run(step.past()[0], inputs, outputs, guard);
        } catch (OrtException e) {
            throw NativeRuntime.failure("A step of " + manifest.name() + " failed", e);
        }
        recurrent.advance(step.past()[0]);
        recurrent.bind(inputs, outputs);
    }

    /** The logits after the last token of a sequence. */
    FloatBuffer logits(int sequence) {
        return logits.last(sequence, 1);
    }

    /** Sequence {@code number} goes on from the only one of {@code alone}. */
    void take(int number, JointSteps alone) {
        for (StateTensor state : manifest.states()) {
            ByteBuffer from = bytes(alone.inputs.get(state.input()));
            ByteBuffer to = bytes(inputs.get(state.input()));
            to.put(number * from.capacity(), from, 0, from.capacity()); // both have the same room
        }
    }

    private static ByteBuffer bytes(OnnxTensor tensor) {
        Buffer buffer = Objects.requireNonNull(tensor).getBufferRef().orElseThrow();
        return (ByteBuffer) buffer;
    }

    @Override
    public void close() {
        given.forEach(StepInput::close);
        logits.close();
        cache.close();
        recurrent.close();
    }
}
