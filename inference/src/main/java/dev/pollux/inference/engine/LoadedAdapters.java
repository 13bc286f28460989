package dev.pollux.inference.engine;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.Projection;
import dev.pollux.internal.Interrupts;
import dev.pollux.quantization.QuantizationMethod;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/** The adapters that are loaded for a model, including the empty one. <em>Thread-safe.</em> */
final class LoadedAdapters implements AutoCloseable {

    private final DecoderManifest manifest;
    /** The method of quantization that scales the inputs of matrices. */
    private static final String SCALED = QuantizationMethod.AWQ.text();

    private final boolean room; // whether the graph has inputs for factors
    private final StepAdmission admission;
    private final SequencePool pool;
    private final ReentrantLock lock = new ReentrantLock();
    private final Set<LoadedAdapter> loaded = new HashSet<>();
    private final LoadedAdapter none;
    private boolean closed;

    LoadedAdapters(DecoderSession session, StepAdmission admission, SequencePool pool) {
        this.manifest = session.graph().manifest();
        this.room = session.options().adapters();
        this.admission = admission;
        this.pool = pool;
        this.none = new LoadedAdapter(this, admission.group(), Map.of());
        loaded.add(none);
    }

    /** The adapter that changes nothing. */
    LoadedAdapter none() {
        return none;
    }

    DecoderManifest manifest() {
        return manifest;
    }

    /** The projections that have inputs for factors. */
    List<Projection> places() {
        return room ? manifest.projections() : List.of();
    }

    /** See {@link DecoderModel#load}. */
    LoadedAdapter load(Map<Path, Double> paths) {
        if (!room) {
            throw new IllegalStateException(manifest.name()
                    + " was opened without adapters; open it with EngineOptions.builder().adapters(true)");
        }
        if (manifest.projections().isEmpty()) {
            throw new UnsupportedModelException(manifest.name()
                    + " is a graph that does not say where its matrices are; open the checkpoint itself to"
                    + " load adapters");
        }
        if (SCALED.equals(manifest.provenance().get("weights"))) {
            throw new UnsupportedModelException(manifest.name()
                    + " has inputs with scales (awq), to which no adapter fits; quantize the checkpoint with gptq or search"
                    + " to load adapters");
        }
        Map<LoraAdapter, Double> read = new LinkedHashMap<>();
        try {
            paths.forEach((path, scale) -> read.put(LoraAdapter.load(path, manifest.headWidth()), scale));
            return loaded(read);
        } finally {
            read.keySet().forEach(LoraAdapter::close);
        }
    }

    private LoadedAdapter loaded(Map<LoraAdapter, Double> read) {
        LoadedAdapter adapter =
                new LoadedAdapter(this, admission.group(), read); // reads files: every request needs the lock
        lock.lock();
        try {
            requireOpen();
            loaded.add(adapter);
            return adapter;
        } catch (IllegalStateException e) {
            adapter.free();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Checks that a sequence may be opened with an adapter.
     *
     * @throws IllegalStateException if the model or the adapter is closed, or the adapter belongs to another model
     */
    void requireLoaded(LoadedAdapter adapter) {
        Interrupts.lock(lock);
        try {
            requireOpen();
            if (!loaded.contains(adapter)) {
                throw new IllegalStateException(
                        "The adapter " + adapter.name() + " is closed or of another model; load it again");
            }
        } finally {
            lock.unlock();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The model " + manifest.name() + " is closed; open it again");
        }
    }

    /** Ends the sequences of an adapter and frees it after the last of its steps. Idempotent. */
    void unload(LoadedAdapter adapter) {
        boolean first;
        lock.lock();
        try {
            first = loaded.remove(adapter);
        } finally {
            lock.unlock();
        }
        pool.interrupt(adapter);
        adapter.group().close();
        pool.remove(adapter);
        if (first) {
            adapter.free();
        }
    }

    /** Frees all adapters. No step may run at that time or later. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            loaded.forEach(LoadedAdapter::free);
            loaded.clear();
        } finally {
            lock.unlock();
        }
    }
}
