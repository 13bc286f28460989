package dev.pollux.inference.internal.layer;

import dev.pollux.job.JobContext;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Reports layers to a job while the weights of a graph are written. The job can be cancelled between weights. <em>For one
 * graph.</em>
 */
public final class LayerProgress implements IntConsumer {

    private final JobContext context;
    private final List<Integer> weightsUpTo;
    private int layer;

    /** @param weightsUpTo the cumulative number of weights at the end of each layer */
    public LayerProgress(JobContext context, List<Integer> weightsUpTo) {
        this.context = context;
        this.weightsUpTo = weightsUpTo;
    }

    @Override
    public void accept(int written) {
        context.checkCancelled();
        while (layer < weightsUpTo.size() && written >= weightsUpTo.get(layer)) {
            context.progress("layers", ++layer, weightsUpTo.size(), "layers");
        }
    }
}
