package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.Arrays;
import java.util.List;

/**
 * The weighted mean: θ = Σ w<sub>i</sub>θ<sub>i</sub>, divided by Σ w<sub>i</sub> if {@code normalize} (arXiv 2203.05482,
 * "model soups"). <em>Immutable.</em>
 *
 * @param weights (N), finite; their sum must not be 0 if {@code normalize}
 */
record Linear(List<Double> weights, boolean normalize) implements MergeMethod {

    /** A sum of weights with a smaller magnitude counts as 0. */
    private static final double ZERO = 1e-12;

    Linear {
        weights = Weights.finite("weight", weights);
        if (normalize && Math.abs(Weights.sum(weights)) < ZERO) {
            throw new IllegalArgumentException("weights must not sum to 0 but " + weights
                    + " do, and normalizing divides by the sum; change them or set normalize: false");
        }
    }

    @Override
    public boolean readsOnce() {
        return true;
    }

    @Override
    public boolean takesEveryValue() {
        return true;
    }

    @Override
    public double cost() {
        return 1.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        double sum = normalize ? Weights.sum(weights) : 1;
        Vectors.combine(
                in, Arrays.stream(Weights.array(weights)).map(w -> w / sum).toArray(), out);
    }
}
