package dev.pollux.inference.engine;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the decoder graph for a path, or exports it, according to the engine's options. */
public final class DecoderGraphs {

    private DecoderGraphs() {}

    /**
     * The graph for any path that can be opened; a checkpoint that is not in the cache is exported.
     *
     * @throws dev.pollux.StorageException if the path does not exist, or the cache cannot be written
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if the architecture or a type of its tensors is not supported
     * @throws dev.pollux.CancelledException if the job is cancelled
     */
    public static DecoderGraph opened(Path path, EngineOptions options, JobContext context) {
        Optional<DecoderGraph> ready = DecoderGraph.ready(path);
        if (ready.isPresent()) {
            return ready.get();
        }
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return exported(checkpoint, options, context);
        }
    }

    /** The graph of a checkpoint, exported if it is not in the cache. */
    static DecoderGraph exported(Checkpoint checkpoint, EngineOptions options, JobContext context) {
        DecoderGraph graph =
                DecoderGraph.exported(DecoderExport.cached(checkpoint, options.export(), options.cache(), context));
        // the cached export may be of a copy with another name, or of an earlier version, which lacks the sampling
        return graph.with(checkpoint.config().name(), checkpoint.sampling());
    }
}
