package dev.pollux.inference.engine;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.Optional;

/** Finds or makes the decoder graph of a path, by the engine's options. */
public final class DecoderGraphs {

    private DecoderGraphs() {}

    /** The graph of whatever can be opened; a checkpoint is exported if it is not in the cache. */
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
        return graph.withSampling(checkpoint.sampling()); // older exports do not hold it
    }
}
