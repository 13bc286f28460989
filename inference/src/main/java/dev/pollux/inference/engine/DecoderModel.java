package dev.pollux.inference.engine;

import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.OnnxFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An exported decoder, loaded: the weights, shared by any number of {@link DecoderSequence}s.
 *
 * <p>{@link #close()} stops the steps that are running, waits for them, and frees the native session. <em>Thread-safe.</em>
 */
public final class DecoderModel implements AutoCloseable {

    /*
     * A model is four things that are opened and closed together:
     *  DecoderSession   the weights and the graph, in the runtime
     *  LoadedAdapters   what is added to the weights
     *  SequencePool     the tokens read so far, with their states
     *  StepAdmission    when a step runs
     *
     * Closing goes from the outside to the inside, so that nothing is freed that a step reads: the pool gives out no sequence
     * any more and interrupts those in use; the admission refuses new steps and waits for the running ones, which end at their
     * next operator; then the adapters and the session are freed. A sequence that is in use meanwhile is its user's: its steps
     * are cancelled, and it is freed when it is closed.
     */

    private final DecoderSession session;
    private final StepAdmission admission = new StepAdmission();
    private final SequencePool pool;
    private final LoadedAdapters adapters;
    private final Duration loadTime;
    private final ReentrantLock closing = new ReentrantLock();
    private boolean closed;

    private DecoderModel(DecoderSession session, long begin) {
        this.session = session;
        this.pool = new SequencePool(session, admission);
        this.adapters = new LoadedAdapters(session, admission, pool);
        this.loadTime = Duration.ofNanos(System.nanoTime() - begin);
    }

    /**
     * Loads the graph of an exported folder, of a ready-made one, or of one ONNX file in the latter ({@link OnnxFolder}).
     *
     * @throws dev.pollux.MalformedFileException if the manifest, the configuration or the graph is damaged
     * @throws dev.pollux.UnsupportedModelException if a ready-made graph is no decoder, or of a kind that is not supported
     * @throws dev.pollux.ModelExecutionException if the runtime refuses the graph, or has not the device
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
     * Loads LoRA adapters beside the weights: sequences that are asked for with the result compute with their sum.
     *
     * @param paths folders in PEFT's form or GGUF files, with the scale of each, on top of its own α/r; 1 as it was trained
     * @throws IllegalStateException if the model was opened without {@link EngineOptions#adapters()}
     * @throws dev.pollux.StorageException if there is no adapter at a path
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if an adapter is for another model, or changes more than projections; or
     *     if the graph is a ready-made one
     */
    public LoadedAdapter load(Map<Path, Double> paths) {
        return adapters.load(paths);
    }

    /** What was loaded. */
    public DecoderManifest manifest() {
        return session.graph().manifest();
    }

    /** How long loading took. */
    public Duration loadTime() {
        return loadTime;
    }

    /** A new sequence of length 0; close it after use. */
    public DecoderSequence sequence() {
        return sequence(adapters.none());
    }

    /** A new sequence of length 0 that computes with an adapter of this model; close it after use. */
    public DecoderSequence sequence(LoadedAdapter adapter) {
        return acquire(new int[0], adapter);
    }

    /** No adapter. */
    LoadedAdapter none() {
        return adapters.none();
    }

    /** A sequence that holds as much of the beginning of {@code prompt} as an idle one has computed already. */
    DecoderSequence acquire(int[] prompt, LoadedAdapter adapter) {
        adapters.requireLoaded(adapter);
        return pool.acquire(prompt, adapter);
    }

    EngineOptions options() {
        return session.options();
    }

    /** Ends running steps, waits for them and frees the model. Idempotent. */
    @Override
    public void close() {
        closing.lock();
        try {
            if (!closed) {
                closed = true;
                pool.close();
                admission.close();
                adapters.close();
                session.close();
            }
        } finally {
            closing.unlock();
        }
    }
}
