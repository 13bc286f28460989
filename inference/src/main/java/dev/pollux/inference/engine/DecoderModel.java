package dev.pollux.inference.engine;

import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.OnnxFolder;
import dev.pollux.inference.sampling.Sampler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A loaded decoder: the weights, shared by any number of {@link DecoderSequence}s.
 *
 * <p>{@link #close()} interrupts the running steps, waits for them, and frees the native session. <em>Thread-safe.</em>
 */
public final class DecoderModel implements AutoCloseable {

    /*
     * A model has these parts, which are opened and closed together:
     *  DecoderSession   the weights and the graph, in the runtime
     *  LoadedAdapters   the changes to the weights
     *  SequencePool     the tokens read so far, with their states
     *  StepAdmission    decides when a step runs
     *  Scheduler        decides how requests take turns, in an engine whose requests share steps
     *  DraftModel       drafts the texts of requests, if the options name one
     *
     * close() proceeds from the outermost part to the innermost, so that no running step reads freed memory. The pool stops
     * handing out sequences and interrupts those in use. The admission rejects new steps and waits for running ones, which stop
     * at their next operator. Then the adapters and the session are freed. A sequence that is still in use belongs to its user:
     * its steps are cancelled, and it is freed when the user closes it.
     */

    private final DecoderSession session;
    private final StepAdmission admission;
    private final Optional<Scheduler> scheduler;
    private final SequencePool pool;
    private final LoadedAdapters adapters;
    private final Duration loadTime;
    private Optional<DraftCosts> lookupCosts = Optional.empty(); // measured for models with recurrent states
    private Optional<DraftModel> draft = Optional.empty(); // set once, before the first request
    private final ReentrantLock closing = new ReentrantLock();
    private boolean closed;

    private DecoderModel(DecoderSession session, long begin) {
        this.session = session;
        boolean shared = session.options().sequences() > 1;
        this.admission = new StepAdmission(shared);
        boolean queued = shared || session.options().maxBytes().isPresent();
        this.scheduler = queued ? Optional.of(new Scheduler(session, admission)) : Optional.empty();
        this.pool = new SequencePool(session, admission, scheduler);
        this.adapters = new LoadedAdapters(session, admission, pool);
        this.loadTime = Duration.ofNanos(System.nanoTime() - begin);
    }

    /**
     * Loads the graph of an exported folder, of a ready-made folder, or of one ONNX file in a ready-made folder
     * ({@link OnnxFolder}).
     *
     * @throws dev.pollux.MalformedFileException if the manifest, the configuration or the graph is damaged
     * @throws dev.pollux.UnsupportedModelException if a ready-made graph is not a decoder, or its kind is not supported
     * @throws dev.pollux.ModelExecutionException if the runtime rejects the graph or lacks the device
     */
    public static DecoderModel open(Path path, EngineOptions options) {
        return open(DecoderGraph.of(path), options);
    }

    static DecoderModel open(DecoderGraph graph, EngineOptions options) {
        long begin = System.nanoTime();
        DecoderSession session = DecoderSession.open(graph, options);
        try {
            return new DecoderModel(session, begin);
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    /**
     * Loads LoRA adapters in addition to the weights. Sequences that are created with the result compute with the sum of the
     * adapters.
     *
     * @param paths folders in PEFT's format or GGUF files, each with a scale that multiplies its own α/r; 1 is the trained
     *     strength
     * @throws IllegalStateException if the model was opened without {@link EngineOptions#adapters()}
     * @throws dev.pollux.StorageException if there is no adapter at a path
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if an adapter is for another model or changes more than projections, or
     *     if the graph is a ready-made one
     */
    public LoadedAdapter load(Map<Path, Double> paths) {
        return adapters.load(paths);
    }

    /** The manifest of the loaded model. */
    public DecoderManifest manifest() {
        return session.graph().manifest();
    }

    /** The duration of loading. */
    public Duration loadTime() {
        return loadTime;
    }

    /** Creates a sequence of length 0. Close it after use. */
    public DecoderSequence sequence() {
        return sequence(adapters.none());
    }

    /** Creates a sequence of length 0 that computes with an adapter of this model. Close it after use. */
    public DecoderSequence sequence(LoadedAdapter adapter) {
        return acquire(new int[0], adapter);
    }

    /** The scope of requests without an adapter and a tenant. */
    PrefixStore.Scope scope() {
        return new PrefixStore.Scope(adapters.none(), "");
    }

    /** The adapter that changes nothing. */
    LoadedAdapter none() {
        return adapters.none();
    }

    /** A sequence for {@code prompt} that reuses the longest prefix which an idle sequence has already computed. */
    DecoderSequence acquire(int[] prompt, LoadedAdapter adapter) {
        return acquire(prompt, new PrefixStore.Scope(adapter, ""));
    }

    /** The same in a scope. */
    DecoderSequence acquire(int[] prompt, PrefixStore.Scope scope) {
        adapters.requireLoaded(scope.adapter());
        return pool.acquire(prompt, scope);
    }

    /** The beginnings of texts that were read; empty if the graph does not allow to share them. */
    Optional<PrefixStore> prefixes() {
        return pool.prefixes();
    }

    /** Lets another model draft for this one, which closes it. Must precede the first request. */
    void draft(DraftModel other) {
        draft = Optional.of(other);
    }

    /** The model that drafts for this one. */
    Optional<DraftModel> draft() {
        return draft;
    }

    /** A drafter for a request; empty if the options want none. */
    Optional<Drafter> drafter(GenerationLoop.Request request, Sampler sampler, PrefixStore.Scope scope) {
        if (!options().drafting()) {
            return Optional.empty();
        }
        boolean even = isEven(scope);
        if (draft.isEmpty()) {
            return Optional.of(lookup(even));
        }
        int vocabulary = Math.min(manifest().vocabularySize(), draft.get().vocabularySize());
        return Optional.of(new ModelDrafter(
                draft.get(),
                new DraftModel.Request(
                        request.prompt(), request.options(), sampler, scope.tenant(), vocabulary, even)));
    }

    /** A drafter that looks up. */
    LookupDrafter lookup(boolean even) {
        if (manifest().states(StateTensor.Kind.RECURRENT).isEmpty()) {
            return new LookupDrafter(even);
        }
        closing.lock();
        try {
            if (lookupCosts.isEmpty()) {
                lookupCosts = Optional.of(DraftCosts.of(this));
            }
            return new LookupDrafter(even, lookupCosts.get());
        } finally {
            closing.unlock();
        }
    }

    /** A finding about the graph on this machine. */
    MachineMemo memo(String kind) {
        return MachineMemo.of(session, kind);
    }

    /** How requests take turns; empty if each runs steps of its own, at once. */
    Optional<Scheduler> scheduler() {
        return scheduler;
    }

    /** The bytes of the states of a sequence of {@code tokens} tokens. */
    long bytes(int tokens) {
        DecoderManifest manifest = manifest();
        List<StateTensor> recurrent = manifest.states(StateTensor.Kind.RECURRENT);
        return KeyValueCache.bytes(manifest.caches(), session.graph().cache(), tokens)
                + 2 * KeyValueCache.bytes(recurrent, ElementType.FLOAT, 0)
                + draft.map(other -> other.bytes(tokens)).orElse(0L);
    }

    /** Whether the rule of even rows holds; see {@link EvenRows}. */
    boolean isEven(PrefixStore.Scope scope) {
        adapters.requireLoaded(scope.adapter());
        return pool.isEven(scope);
    }

    DecoderGraph graph() {
        return session.graph();
    }

    EngineOptions options() {
        return session.options();
    }

    /** Interrupts running steps, waits for them and frees the model. Idempotent. */
    @Override
    public void close() {
        closing.lock();
        try {
            if (!closed) {
                closed = true;
                scheduler.ifPresent(Scheduler::refuse);
                pool.close();
                draft.ifPresent(DraftModel::close);
                admission.close();
                scheduler.ifPresent(Scheduler::close);
                adapters.close();
                session.close();
            }
        } finally {
            closing.unlock();
        }
    }
}
