package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.List;
import java.util.Optional;

/**
 * The mean weighted by Fisher information, element by element (Matena and Raffel, "Merging models with Fisher-weighted
 * averaging", arXiv 2111.09832): θ = Σ w<sub>i</sub>(F<sub>i</sub> + ε)θ<sub>i</sub> / Σ w<sub>i</sub>(F<sub>i</sub> + ε),
 * where F<sub>i</sub> is the diagonal of model i's Fisher information.
 *
 * <p>F<sub>i</sub> comes from {@code fisher.safetensors} in the model's folder, or in the folder of the adapter that is applied
 * to it: one tensor of floats for each tensor of the model, with the same name and shape. An element is the mean over examples
 * of the squared gradient of the log-likelihood, ≥ 0. If F is 0 in all models, the result is the weighted mean. The sources are
 * the tensors of the N models, then the N diagonals. <em>Immutable.</em>
 *
 * @param weights (N), each above 0
 * @param epsilon ε, above 0
 */
record Fisher(List<Double> weights, double epsilon) implements MergeMethod {

    /** The file in the folder of a model or an adapter. */
    static final String FILE = "fisher.safetensors";

    Fisher {
        weights = Weights.positive("weight", weights);
        if (!(epsilon > 0 && Double.isFinite(epsilon))) {
            throw new IllegalArgumentException("epsilon must be a number above 0 but was " + epsilon);
        }
    }

    @Override
    public boolean readsOnce() {
        return true;
    }

    @Override
    public Optional<WithStatistics> withStatistics(SideStatistics statistics) {
        return statistics.fisher().map(diagonals -> new WithStatistics(this, diagonals));
    }

    @Override
    public double cost() {
        return 4.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int n = weights.size();
        double[] w = Weights.array(weights);
        float[][] result = new float[1][];
        in.pass((x, first, count) -> {
            result[0] = Vectors.room(result[0], count);
            for (int j = 0; j < count; j++) {
                double sum = 0;
                double share = 0;
                for (int i = 0; i < n; i++) {
                    double f = w[i] * (x[n + i][j] + epsilon);
                    sum += f * x[i][j];
                    share += f;
                }
                result[0][j] = (float) (sum / share);
            }
            out.put(result[0], count);
        });
    }
}
