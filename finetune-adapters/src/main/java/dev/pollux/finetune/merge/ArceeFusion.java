package dev.pollux.finetune.merge;

import dev.pollux.internal.math.OrderStatistics;
import dev.pollux.tensor.TensorSink;

/**
 * Applies the most important changes of another model to the base.
 *
 * <p>The importance of an element is |δ|·κ, where κ = Σ p ln(p/q) is the divergence of its row; p and q are the softmax of the
 * other's and the base's row, plus 1e-8. Elements with importance ≥ median + 1.5·(Q3 − Q1) are taken from the other model. The
 * quartiles are calculated from all elements, not from a sample. <em>Immutable.</em>
 */
record ArceeFusion() implements MergeMethod {

    private static final double FLOOR = 1e-8;
    private static final double SPREAD = 1.5;

    @Override
    public double cost() {
        return 14.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int row = in.rowLength();
        double[] divergence = new double[(int) (in.elements() / row)];
        double[] p = new double[row];
        double[] q = new double[row];
        in.pass((x, first, count) -> {
            for (int r = 0; r < count; r += row) {
                divergence[(int) ((first + r) / row)] = divergence(x[1], x[0], r, p, q, row);
            }
        });
        float[][] importance = new float[1][];
        long last = in.elements() - 1;
        OrderStatistics.Rank[] quartiles = OrderStatistics.select(
                block -> in.pass((x, first, count) -> {
                    importance[0] = Vectors.room(importance[0], count);
                    for (int j = 0; j < count; j++) {
                        double kappa = divergence[(int) ((first + j) / row)];
                        importance[0][j] = (float) (Math.abs(x[1][j] - x[0][j]) * kappa);
                    }
                    block.accept(importance[0], count);
                }),
                (long) Math.floor(0.25 * last),
                (long) Math.floor(0.5 * last),
                (long) Math.floor(0.75 * last));
        float threshold =
                (float) (quartiles[1].value() + SPREAD * ((double) quartiles[2].value() - quartiles[0].value()));
        emit(in, out, divergence, threshold);
    }

    private static void emit(TensorWindows in, TensorSink out, double[] divergence, float threshold) {
        int row = in.rowLength();
        long[] taken = new long[1];
        float[][] result = new float[1][];
        in.pass((x, first, count) -> {
            float[] to = Vectors.room(result[0], count);
            result[0] = to;
            for (int j = 0; j < count; j++) {
                float delta = x[1][j] - x[0][j];
                boolean take = (float) (Math.abs(delta) * divergence[(int) ((first + j) / row)]) >= threshold;
                to[j] = take ? x[1][j] : x[0][j];
                taken[0] += take ? 1 : 0;
            }
            out.put(to, count);
        });
        out.fact("taken", Long.toString(taken[0]));
    }

    /** @param p buffer (≥ row), overwritten, as is {@code q} */
    private static double divergence(float[] a, float[] b, int at, double[] p, double[] q, int row) {
        double sumA = exponentials(a, at, p, row);
        double sumB = exponentials(b, at, q, row);
        double divergence = 0;
        for (int j = 0; j < row; j++) {
            double of = p[j] / sumA + FLOOR;
            divergence += of * Math.log(of / (q[j] / sumB + FLOOR));
        }
        return divergence;
    }

    /** Writes exp(x − max x) and returns the sum. */
    private static double exponentials(float[] x, int at, double[] into, int row) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < row; j++) {
            largest = Math.max(largest, x[at + j]);
        }
        double sum = 0;
        for (int j = 0; j < row; j++) {
            into[j] = Math.exp(x[at + j] - largest);
            sum += into[j];
        }
        return sum;
    }
}
