package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.CancelledException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.step.StepInput;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.internal.OpenHandle;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One run of the decoder graph over some tokens of one sequence: the bound tensors and the call.
 *
 * <p>All memory of a step is allocated once. Scalar inputs are rewritten in their direct buffers, every output is pinned, and
 * new tensor views over the same buffers are created only if the number of tokens changes. Creating tensors for each step and
 * reading unpinned outputs takes longer than the arithmetic of a small model.
 */
final class DecoderStep implements StepAdmission.Step, AutoCloseable {

    private final DecoderSession session;
    private final StepAdmission admission;
    private final StepCache cache;
    private final RecurrentStates recurrent;
    private final List<StepInput> given;
    private final StepLogits logits;
    private final OpenHandle handle;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private long rotaryOffset;
    private int past; // tokens read before the current step
    private LoadedAdapter adapter;
    private volatile boolean interrupted;
    private volatile NativeRuntime.@Nullable RunGuard current;

    DecoderStep(DecoderSession session, StepAdmission admission, LoadedAdapter adapter) {
        this.session = session;
        this.admission = admission;
        DecoderGraph graph = session.graph();
        DecoderManifest manifest = graph.manifest();
        List<StateTensor> states = manifest.caches();
        this.cache = graph.inPlace()
                ? new KeyValueCache(1, states, graph.cache(), manifest.contextLength())
                : new GrowingCache(states, graph.cache());
        this.recurrent = new RecurrentStates(1, manifest.states(Kind.RECURRENT));
        this.given = graph.inputs().stream().map(StepInput::new).toList();
        this.logits = new StepLogits(graph.logits(), manifest.vocabularySize());
        this.handle = OpenHandle.of("DecoderSequence of " + manifest.name());
        use(adapter);
    }

    DecoderSession session() {
        return session;
    }

    /** Keys and values in one buffer for each state, if the graph appends to them. */
    Optional<KeyValueCache> rows() {
        return cache instanceof KeyValueCache rows ? Optional.of(rows) : Optional.empty();
    }

    StepCache cache() {
        return cache;
    }

    void reserve(int capacity, int used) {
        cache.reserve(capacity, used, inputs, outputs);
    }

    /** Selects the adapter that is added to the weights. */
    void use(LoadedAdapter newAdapter) {
        adapter = newAdapter;
        inputs.putAll(adapter.inputs());
    }

    LoadedAdapter adapter() {
        return adapter;
    }

    /** The states that every step replaces. */
    RecurrentStates recurrent() {
        return recurrent;
    }

    /** Selects one of the two sets of rotary tables, if the model has two. */
    void useLongRotary(boolean longContext) {
        rotaryOffset = longContext ? session.graph().manifest().contextLength() : 0;
    }

    /**
     * Reads tokens.
     *
     * @param tokens (S), read at positions past … past + S − 1
     * @param past the number of positions read before
     * @param filler the number of last tokens that only fill up the step; their rows are overwritten by the next step
     * @param logitsDue the number of tokens before the filler whose logits are requested, in [0, S − filler]
     * @return (logitsDue, vocabulary), valid until the next run
     * @throws CancelledException if the step is interrupted, or the thread is
     */
    FloatBuffer run(int[] tokens, int past, int filler, int logitsDue) {
        this.past = past;
        GraphInput.Step step =
                new GraphInput.Step(tokens, new int[] {past}, filler, logitsDue, new long[] {rotaryOffset});
        bind(step.without(cache.dropped()));
        admission.run(this);
        return logits.last(0, logitsDue);
    }

    @Override
    public StepAdmission.Group group() {
        return adapter.group();
    }

    @Override
    public boolean isInterrupted() {
        return interrupted;
    }

    /** Runs the graph on the bound tensors. */
    @Override
    public void execute() {
        try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
            current = run;
            if (interrupted) {
                throw new CancelledException("The step was interrupted");
            }
            session.run(past, inputs, outputs, run);
            cache.advance();
            recurrent.advance(past);
        } catch (OrtException e) {
            if (interrupted) {
                throw new CancelledException("The step was interrupted", e);
            }
            throw NativeRuntime.failure(
                    "A step of " + session.graph().manifest().name() + " failed", e);
        } finally {
            current = null;
        }
    }

    /** Ends the current run and rejects later ones. May be called from any thread. */
    void interrupt() {
        interrupted = true;
        NativeRuntime.RunGuard run = current;
        if (run != null) {
            run.terminate();
        }
    }

    /** Clears an interrupt when another user takes the sequence. */
    void allow() {
        interrupted = false;
    }

    private void bind(GraphInput.Step step) {
        given.forEach(input -> input.write(step, inputs));
        logits.bind(step, outputs);
        cache.bind(past, step.count(), inputs, outputs);
        recurrent.bind(inputs, outputs);
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
