package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.DecoderManifest.Kind;
import dev.pollux.inference.decoder.DecoderManifest.State;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.internal.OpenHandle;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the decoder graph over some tokens: the tensors it binds and the call.
 *
 * <p>Everything a step touches is allocated once: the scalar inputs are rewritten in their direct buffers, every output is
 * pinned, and only a change of the number of tokens makes new tensor views over the same buffers. Creating them anew and
 * reading unpinned outputs costs more than a small model's arithmetic.
 */
final class DecoderStep implements AutoCloseable {

    private final DecoderModel model;
    private final StepCache cache;
    private final RecurrentStates recurrent;
    private final List<StepInput> given;
    private final StepLogits logits;
    private final OpenHandle handle;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private long rotaryOffset;
    private LoadedAdapter adapter;
    private volatile NativeRuntime.@Nullable RunGuard current;

    DecoderStep(DecoderModel model) {
        this.model = model;
        this.adapter = model.none();
        DecoderGraph graph = model.graph();
        DecoderManifest manifest = graph.manifest();
        List<State> states = manifest.states(Kind.KEY_VALUE);
        this.cache = graph.inPlace()
                ? new KeyValueCache(states, graph.cache(), manifest.contextLength())
                : new GrowingCache(states, graph.cache());
        this.recurrent = new RecurrentStates(NativeRuntime.environment(), manifest.states(Kind.RECURRENT));
        this.given = graph.inputs().stream().map(StepInput::new).toList();
        this.logits = new StepLogits(graph.logits(), manifest.vocabularySize());
        this.handle = OpenHandle.of("DecoderSequence of " + manifest.name());
    }

    void reserve(int capacity, int used) {
        cache.reserve(capacity, used, inputs, outputs);
    }

    /** What is added to the weights. */
    void use(LoadedAdapter newAdapter) {
        adapter = newAdapter;
        inputs.putAll(adapter.inputs());
    }

    /** The states that every step replaces. */
    RecurrentStates recurrent() {
        return recurrent;
    }

    /** Which of two sets of rotary tables holds, where the model has two. */
    void useLongRotary(boolean longContext) {
        rotaryOffset = longContext ? model.manifest().contextLength() : 0;
    }

    /**
     * Runs the graph.
     *
     * @param tokens (S), read at positions past … past + S − 1
     * @param past positions read before
     * @param logitsDue for how many of the last tokens logits are due, in [0, S]
     * @return (logitsDue, vocabulary), valid until the next run
     */
    FloatBuffer run(int[] tokens, int past, int logitsDue, BooleanSupplier interrupted) {
        prepare(new GraphInput.Step(tokens, past, logitsDue, rotaryOffset));
        OrtSession session = model.beginStep(past, adapter, interrupted);
        try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
            current = run;
            if (interrupted.getAsBoolean()) {
                throw new CancelledException("The step was interrupted");
            }
            session.run(inputsOf(session, past), Set.of(), outputs, run.options())
                    .close();
            cache.advance();
            recurrent.advance();
            return logits.last(logitsDue);
        } catch (OrtException e) {
            if (interrupted.getAsBoolean()) {
                throw new CancelledException("The step was interrupted", e);
            }
            throw NativeRuntime.failure("A step of " + model.manifest().name() + " failed", e);
        } finally {
            current = null;
            model.endStep(adapter);
        }
    }

    /** Ends a run in progress, from any thread. */
    void terminate() {
        NativeRuntime.RunGuard run = current;
        if (run != null) {
            run.terminate();
        }
    }

    private void prepare(GraphInput.Step step) {
        given.forEach(input -> input.write(step, inputs));
        logits.bind(step.tokens().length, step.due(), outputs);
        cache.bind(step.past(), step.tokens().length, inputs, outputs);
        recurrent.bind(inputs, outputs);
    }

    /** A graph that only begins does not know the past. */
    private Map<String, OnnxTensor> inputsOf(OrtSession session, int past) {
        if (past > 0 || model.graph().beginning().isEmpty()) {
            return inputs;
        }
        Map<String, OnnxTensor> known = new HashMap<>(inputs);
        known.keySet().retainAll(session.getInputNames());
        return known;
    }

    @Override
    public void close() {
        given.forEach(StepInput::close);
        logits.close();
        cache.close();
        recurrent.close();
        handle.close();
    }
}
