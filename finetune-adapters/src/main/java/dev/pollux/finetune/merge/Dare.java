package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.List;

/**
 * Drop and rescale (arXiv 2311.03099), linear or with TIES' election: each element of δ<sub>i</sub> is kept with probability
 * density and the kept ones are rescaled. The scale is ‖δ‖₁ / ‖kept δ‖₁, as in mergekit. The paper uses 1/density; the density
 * is the expectation of ‖kept δ‖₁ / ‖δ‖₁. <em>Immutable.</em>
 *
 * @param weights (N), finite
 * @param densities (N), each in [0, 1]; with 0 nothing of δ is kept
 * @param sum how the differences are summed
 */
record Dare(List<Double> weights, List<Double> densities, TaskSum sum) implements MergeMethod {

    Dare {
        weights = Weights.finite("weight", weights);
        densities = Weights.densitiesFromZero(densities, weights);
    }

    @Override
    public double cost() {
        return 3.5;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        List<Mask> masks = densities.stream().<Mask>map(Mask.Random::new).toList();
        new TaskVectors(weights, masks, sum).merge(in, out);
    }
}
