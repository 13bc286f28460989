package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.Collections;
import java.util.List;

/**
 * The base plus the weighted sum of the differences: θ = θ<sub>0</sub> + λ Σ w<sub>i</sub>δ<sub>i</sub> (arXiv 2212.04089).
 * <em>Immutable.</em>
 *
 * @param weights (N), finite
 * @param sum how the differences are summed; signs are not elected
 */
record TaskArithmetic(List<Double> weights, TaskSum sum) implements MergeMethod {

    TaskArithmetic {
        weights = Weights.finite("weight", weights);
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
        new TaskVectors(weights, Collections.nCopies(weights.size(), new Mask.All()), sum).merge(in, out);
    }
}
