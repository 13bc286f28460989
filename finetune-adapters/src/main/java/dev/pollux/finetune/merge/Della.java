package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.ArrayList;
import java.util.List;

/**
 * Drop by magnitude (DELLA, arXiv 2406.11617), linear or with TIES' election: the element with the r-th smallest magnitude of
 * a row of m is kept with probability density − ε + 2ε(r − 1)/(m − 1). Rescaled as {@link Dare}. <em>Immutable.</em>
 *
 * @param weights (N), finite
 * @param densities (N), each in [0, 1]; with 0 nothing of δ is kept
 * @param epsilons (N), ε, each from 0, with density − ε above 0 and density + ε below 1 unless density is 0 or 1
 * @param sum how the differences are summed
 */
record Della(List<Double> weights, List<Double> densities, List<Double> epsilons, TaskSum sum) implements MergeMethod {

    Della {
        weights = Weights.finite("weight", weights);
        densities = Weights.densitiesFromZero(densities, weights);
        epsilons = List.copyOf(epsilons);
        for (int i = 0; i < weights.size(); i++) {
            double density = densities.get(i);
            double epsilon = epsilons.get(i);
            Weights.notNegative("epsilon", epsilon);
            if (density > 0 && density < 1 && !(density - epsilon > 0 && density + epsilon < 1)) {
                throw new IllegalArgumentException(
                        "density - epsilon must be above 0 and density + epsilon below 1 but density was " + density
                                + " and epsilon " + epsilon);
            }
        }
    }

    @Override
    public double cost() {
        return 11.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        List<Mask> masks = new ArrayList<>();
        for (int i = 0; i < weights.size(); i++) {
            double density = densities.get(i);
            masks.add(density == 0 ? new Mask.Random(0) : new Mask.Ranked(density, epsilons.get(i)));
        }
        new TaskVectors(weights, masks, sum).merge(in, out);
    }
}
