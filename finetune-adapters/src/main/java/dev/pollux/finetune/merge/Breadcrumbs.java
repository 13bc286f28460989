package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.ArrayList;
import java.util.List;

/**
 * Model breadcrumbs (arXiv 2312.06795), plain or with TIES' election: each δ<sub>i</sub> loses the ⌊γn⌋ largest magnitudes of
 * the tensor as outliers. Of the rest, the ⌊density·n⌋ largest are kept. If fewer remain, fewer outliers are dropped.
 * <em>Immutable.</em>
 *
 * @param weights (N), finite
 * @param densities (N), each in [0, 1]; with 0 nothing of δ is kept
 * @param gammas (N), γ, each in [0, 1)
 * @param sum how the differences are summed
 * @param likeReference whether a tensor with no outliers to drop loses its whole δ, as in mergekit
 */
record Breadcrumbs(
        List<Double> weights, List<Double> densities, List<Double> gammas, TaskSum sum, boolean likeReference)
        implements MergeMethod {

    Breadcrumbs {
        weights = Weights.finite("weight", weights);
        densities = Weights.densitiesFromZero(densities, weights);
        gammas = List.copyOf(gammas);
        for (double gamma : gammas) {
            if (!(gamma >= 0 && gamma < 1)) {
                throw new IllegalArgumentException("gamma must be in [0, 1) but was " + gamma);
            }
        }
    }

    @Override
    public boolean keepsNothing(double density, long elements) {
        return Math.floor(density * elements) == 0;
    }

    @Override
    public double cost() {
        return 5.5;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        List<Mask> masks = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            masks.add(new Mask.MagnitudeBand(densities.get(i), gammas.get(i), likeReference));
        }
        new TaskVectors(weights, masks, sum).merge(in, out);
    }
}
