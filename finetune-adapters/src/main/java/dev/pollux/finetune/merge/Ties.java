package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.List;

/**
 * Trim, elect sign and merge (arXiv 2306.01708): keeps the ⌊density·n⌋ largest magnitudes of each δ<sub>i</sub> (at least one;
 * among equal ones, the first), then applies {@link TaskSum}. <em>Immutable.</em>
 *
 * @param weights (N), finite
 * @param densities (N), each in (0, 1]
 * @param sum how the differences are summed
 */
record Ties(List<Double> weights, List<Double> densities, TaskSum sum) implements MergeMethod {

    Ties {
        weights = Weights.finite("weight", weights);
        densities = Weights.densities(densities, weights);
    }

    @Override
    public double cost() {
        return 3.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        List<Mask> masks = densities.stream().<Mask>map(Mask.TopMagnitude::new).toList();
        new TaskVectors(weights, masks, sum).merge(in, out);
    }
}
