package dev.pollux.inference.engine;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Adapter;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.SessionSettings;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * An exported decoder, loaded: the weights, shared by any number of {@link DecoderSequence}s.
 *
 * <p>{@link #close()} stops the steps that are running, waits for them, and frees the native session. <em>Thread-safe.</em>
 */
public final class DecoderModel implements AutoCloseable {

    private final DecoderGraph graph;
    private final DecoderManifest manifest;
    private final EngineOptions options;
    private final OrtSession session;
    private final OrtSession beginning; // the same, unless the first step has a graph of its own
    private final Duration loadTime;
    private final OpenHandle handle;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition allIdle = lock.newCondition();
    private final List<DecoderSequence> idle = new ArrayList<>();
    private final List<DecoderSequence> live = new ArrayList<>();
    private final List<LoadedAdapter> adapters = new ArrayList<>();
    private final LoadedAdapter none;
    private int running;
    private boolean closed;

    private DecoderModel(DecoderGraph graph, EngineOptions options, long begin, OrtSession... sessions) {
        this.graph = graph;
        this.manifest = graph.manifest();
        this.options = options;
        this.session = sessions[0];
        this.beginning = sessions[sessions.length - 1];
        this.loadTime = Duration.ofNanos(System.nanoTime() - begin);
        this.handle = OpenHandle.of("DecoderModel " + manifest.name());
        this.none = new LoadedAdapter(this, options.adapters() ? manifest.projections() : List.of(), Map.of());
        adapters.add(none);
    }

    /**
     * Loads the graph of an exported folder, of a ready-made one, or of one ONNX file in the latter ({@link OnnxFolder}).
     *
     * @throws dev.pollux.MalformedFileException if the manifest, the configuration or the graph is damaged
     * @throws dev.pollux.UnsupportedModelException if a ready-made graph is no decoder, or of a kind that is not supported
     * @throws ModelExecutionException if the runtime refuses the graph, or has not the device
     */
    public static DecoderModel open(Path path, EngineOptions options) {
        return open(DecoderGraph.of(path), options);
    }

    static DecoderModel open(DecoderGraph graph, EngineOptions options) {
        long begin = System.nanoTime();
        try (OrtSession.SessionOptions settings =
                SessionSettings.of(options.device(), options.threads(), options.spinning())) {
            OrtSession session = session(graph.file(), graph.manifest(), options, settings);
            if (graph.beginning().isEmpty()) {
                return new DecoderModel(graph, options, begin, session);
            }
            return new DecoderModel(graph, options, begin, session, beginning(graph, settings, session));
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot load " + graph.file() + ": " + e.getMessage(), e);
        }
    }

    private static OrtSession beginning(DecoderGraph graph, OrtSession.SessionOptions settings, OrtSession other)
            throws OrtException {
        Path file = graph.beginning().orElseThrow();
        try {
            return NativeRuntime.environment().createSession(file.toString(), settings);
        } catch (OrtException e) {
            other.close();
            throw new ModelExecutionException("Cannot load " + file + ": " + e.getMessage(), e);
        }
    }

    private static OrtSession session(
            Path model, DecoderManifest manifest, EngineOptions options, OrtSession.SessionOptions settings)
            throws OrtException {
        if (!options.adapters() || manifest.projections().isEmpty()) {
            return NativeRuntime.environment().createSession(model.toString(), settings);
        }
        return AdapterGraph.session(model, settings, manifest.projections());
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
        if (!options.adapters()) {
            throw new IllegalStateException(manifest.name()
                    + " was opened without adapters; open it with EngineOptions.builder().adapters(true)");
        }
        if (manifest.projections().isEmpty()) {
            throw new UnsupportedModelException(
                    manifest.name()
                            + " is a graph that does not say where its matrices are; open the checkpoint itself to load adapters");
        }
        Set<String> matrices = new HashSet<>();
        manifest.projections().forEach(projection -> matrices.addAll(projection.weights()));
        Map<Adapter, Double> read = new LinkedHashMap<>();
        paths.forEach((path, scale) ->
                read.put(Adapter.read(path, manifest.headWidth()).named(matrices), scale));
        lock.lock();
        try {
            checkOpen();
            LoadedAdapter adapter = new LoadedAdapter(this, manifest.projections(), read);
            adapters.add(adapter);
            return adapter;
        } finally {
            lock.unlock();
        }
    }

    /** Frees an adapter as soon as none of its steps runs. */
    void unload(LoadedAdapter adapter) {
        lock.lock();
        try {
            if (adapter.closed) {
                return;
            }
            adapter.closed = true;
            live.stream().filter(sequence -> sequence.uses(adapter)).forEach(DecoderSequence::interrupt);
            while (adapter.running > 0) {
                allIdle.awaitUninterruptibly();
            }
            adapters.remove(adapter);
            adapter.free();
        } finally {
            lock.unlock();
        }
    }

    /** What was loaded. */
    public DecoderManifest manifest() {
        return manifest;
    }

    /** How long loading took. */
    public Duration loadTime() {
        return loadTime;
    }

    /** A new sequence of length 0; close it after use. */
    public DecoderSequence sequence() {
        return acquire(new int[0], none);
    }

    /** A new sequence of length 0 that computes with an adapter of this model; close it after use. */
    public DecoderSequence sequence(LoadedAdapter adapter) {
        return acquire(new int[0], adapter);
    }

    /** No adapter. */
    LoadedAdapter none() {
        return none;
    }

    /**
     * A sequence that holds as much of the beginning of {@code prompt} as an idle one has computed already.
     *
     * <p>Only whole prefill chunks are taken over: they are what a new sequence would compute, bit for bit, so a result
     * never depends on what ran before.
     */
    DecoderSequence acquire(int[] prompt, LoadedAdapter adapter) {
        Interrupts.lock(lock);
        try {
            checkOpen(adapter);
            DecoderSequence best = null;
            int bestShared = -1;
            for (DecoderSequence candidate : idle) {
                int shared = candidate.sharedPrefix(prompt, adapter);
                if (shared > bestShared) {
                    best = candidate;
                    bestShared = shared;
                }
            }
            if (best == null) {
                best = new DecoderSequence(this, adapter);
            } else {
                idle.remove(best);
                best.reopen(bestShared, adapter);
            }
            live.add(best);
            return best;
        } finally {
            lock.unlock();
        }
    }

    /** Takes a sequence back: kept for the next one, or freed. */
    void release(DecoderSequence sequence) {
        lock.lock();
        try {
            live.remove(sequence);
            if (closed || idle.size() >= options.idleSequences()) {
                sequence.free();
            } else {
                idle.add(sequence);
            }
        } finally {
            lock.unlock();
        }
    }

    EngineOptions options() {
        return options;
    }

    DecoderGraph graph() {
        return graph;
    }

    /** The tokens of a whole step of a long prompt. */
    int chunk() {
        return graph.chunk(options.prefillChunk());
    }

    /**
     * Announces a step after {@code past} tokens, so that {@link #close()} waits for it.
     *
     * <p>Closing interrupts every sequence in use under this lock, so a step that comes too late is one that was interrupted.
     */
    OrtSession beginStep(int past, LoadedAdapter adapter, BooleanSupplier interrupted) {
        lock.lock();
        try {
            if (interrupted.getAsBoolean()) {
                throw new CancelledException("The sequence was interrupted; ask the model for another");
            }
            running++;
            adapter.running++;
            return past == 0 ? beginning : session;
        } finally {
            lock.unlock();
        }
    }

    void endStep(LoadedAdapter adapter) {
        lock.lock();
        try {
            running--;
            adapter.running--;
            allIdle.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void checkOpen(LoadedAdapter adapter) {
        checkOpen();
        if (adapter.closed || !adapters.contains(adapter)) {
            throw new IllegalStateException(
                    "The adapter " + adapter.name() + " is closed or of another model; load it again");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The model " + manifest.name() + " is closed; open it again");
        }
    }

    /** Ends running steps, waits for them and frees the model. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            live.forEach(DecoderSequence::interrupt);
            while (running > 0) {
                allIdle.awaitUninterruptibly();
            }
            idle.forEach(DecoderSequence::free);
            idle.clear();
            adapters.forEach(LoadedAdapter::free);
            adapters.clear();
            session.close();
            if (!beginning.equals(session)) {
                beginning.close();
            }
            handle.close();
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot free " + manifest.name() + ": " + e.getMessage(), e);
        } finally {
            lock.unlock();
        }
    }
}
