package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.tensor.TensorSink;

/**
 * Interpolates between the base and the mean of the models; the more the models agree, the closer to the mean (arXiv
 * 2403.19522).
 *
 * <p>With c the mean cosine of all pairs δ<sub>i</sub>, δ<sub>j</sub>: t = N·c / (1 + (N − 1)c) and θ = t·mean(θ<sub>i</sub>) +
 * (1 − t)·θ<sub>0</sub>. A negative c gives a negative t. If the denominator is 0, t = 0. <em>Immutable.</em>
 *
 * @param filterWise whether each row has its own t; default false
 */
record ModelStock(boolean filterWise) implements MergeMethod {

    private static final double ZERO = 1e-6;

    @Override
    public double cost() {
        return 2.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        if (filterWise && in.elements() != in.rowLength()) {
            mergeRows(in, out);
            return;
        }
        double t = ratio(Vectors.gram(in, true));
        out.fact("t", Double.toString(t));
        Vectors.combine(in, coefficients(t, in.sources() - 1), out);
    }

    private static double[] coefficients(double t, int n) {
        double[] coefficients = new double[n + 1];
        java.util.Arrays.fill(coefficients, t / n);
        coefficients[0] = 1 - t;
        return coefficients;
    }

    private static double ratio(double[][] gram) {
        int n = gram.length;
        double sum = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                double norms = Math.max(Math.sqrt(gram[i][i]) * Math.sqrt(gram[j][j]), ZERO);
                sum += Math.max(-1, Math.min(1, gram[i][j] / norms));
            }
        }
        double c = sum / (n * (n - 1) / 2.0);
        double denominator = 1 + (n - 1) * c;
        return Math.abs(denominator) < ZERO ? 0 : n * c / denominator;
    }

    private static void mergeRows(TensorWindows in, TensorSink out) {
        int n = in.sources() - 1;
        int row = in.rowLength();
        float[][] deltas = new float[n][];
        double[][] gram = new double[n][n];
        double[] range = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
        Vectors.Sum sum = new Vectors.Sum();
        in.pass((x, first, count) -> {
            for (int i = 0; i < n; i++) {
                deltas[i] = Vectors.subtract(x[i + 1], x[0], count, deltas[i]);
            }
            sum.begin(count);
            for (int r = 0; r < count; r += row) {
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j <= i; j++) {
                        gram[i][j] = Kernels.BEST.dot(deltas[i], deltas[j], r, r + row);
                    }
                }
                double t = ratio(gram);
                range[0] = Math.min(range[0], t);
                range[1] = Math.max(range[1], t);
                double[] coefficients = coefficients(t, n);
                for (int i = 0; i <= n; i++) {
                    sum.add(coefficients[i], x[i], r, row);
                }
            }
            sum.put(out);
        });
        out.fact("t", range[0] + " to " + range[1]);
    }
}
