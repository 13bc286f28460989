package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import java.util.Arrays;

/**
 * Reinforced agents merging (arXiv 2601.13572). The change of an element is δ<sub>i</sub> if only model i changed it, and the
 * mean of the changes if several models changed it.
 *
 * <p>Model i changed an element if |δ<sub>i</sub>| &gt; ε: with ε = 1e-5, a δ of 2e-5 counts and one of 1e-5 does not. With
 * {@code boost} above 0 (RAM+), the changes of the own elements of model i, which no other model changed, are multiplied by
 * λ<sub>i</sub> = 1 + boost·min(ρ<sub>i</sub>, limit), where ρ<sub>i</sub> = shared elements ÷ own elements of model i in the
 * tensor. <em>Immutable.</em>
 *
 * @param epsilon ε, from 0; default 1e-5
 * @param boost r, from 0; 0 is plain RAM
 * @param limit α, from 0; default 0.2
 */
record Ram(double epsilon, double boost, double limit) implements MergeMethod {

    Ram {
        Weights.notNegative("epsilon", epsilon);
        Weights.finite("r", boost);
        Weights.notNegative("alpha", limit);
    }

    @Override
    public double cost() {
        return 2.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int n = in.sources() - 1;
        double[] factors = new double[n];
        Arrays.fill(factors, 1);
        if (boost != 0) {
            boost(in, factors);
            out.fact("boost", Arrays.toString(factors));
        }
        float[][] result = new float[1][];
        in.pass((x, first, count) -> {
            float[] to = Vectors.room(result[0], count);
            result[0] = to;
            for (int j = 0; j < count; j++) {
                int changed = 0;
                double sum = 0;
                double factor = 1;
                for (int i = 0; i < n; i++) {
                    float delta = x[i + 1][j] - x[0][j];
                    if (Math.abs(delta) > (float) epsilon) {
                        changed++;
                        sum += delta;
                        factor = factors[i];
                    }
                }
                double delta = changed > 1 ? sum / changed : sum * factor;
                to[j] = (float) (x[0][j] + delta);
            }
            out.put(to, count);
        });
    }

    private void boost(TensorWindows in, double[] factors) {
        int n = factors.length;
        long[][] counts = new long[2][n]; // own, shared
        in.pass((x, first, count) -> {
            boolean[] changed = new boolean[n];
            for (int j = 0; j < count; j++) {
                int models = 0;
                for (int i = 0; i < n; i++) {
                    changed[i] = Math.abs(x[i + 1][j] - x[0][j]) > (float) epsilon;
                    models += changed[i] ? 1 : 0;
                }
                for (int i = 0; i < n; i++) {
                    if (changed[i]) {
                        counts[models > 1 ? 1 : 0][i]++;
                    }
                }
            }
        });
        for (int i = 0; i < n; i++) {
            double ratio = counts[1][i] / Math.max((double) counts[0][i], Math.max(epsilon, Double.MIN_NORMAL));
            factors[i] = 1 + boost * Math.min(ratio, limit);
        }
    }
}
