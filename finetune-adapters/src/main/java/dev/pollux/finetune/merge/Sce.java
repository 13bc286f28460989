package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.OrderStatistics;
import dev.pollux.tensor.TensorSink;
import java.util.Arrays;

/**
 * Select, calculate, erase (arXiv 2408.07990): keeps only the elements of the δ<sub>i</sub> with the largest variance between
 * models, weights each model by the energy of its kept elements, and erases elements with the opposite of the elected sign.
 *
 * <p>k = ⌊topK · number of elements with a variance⌋; a<sub>i</sub> = mean(δ<sub>i</sub>²)/Σ mean(δ<sub>j</sub>²), or 1/N where
 * the sum is below 1e-6; e<sub>i</sub> = 1 if δ<sub>i</sub> has the sign of Σ δ<sub>j</sub> (0 counts as +), otherwise 0; θ =
 * θ<sub>0</sub> + Σ a<sub>i</sub>e<sub>i</sub>δ<sub>i</sub> / max(Σ a<sub>i</sub>e<sub>i</sub>, 1e-6). <em>Immutable.</em>
 *
 * @param selectTopK the fraction of elements kept, in [0, 1]; default 1
 */
record Sce(double selectTopK) implements MergeMethod {
    /*
     * Passes: variances (for the rank of the threshold, only if topK < 1), energies, result. The variance is recalculated in
     * each pass, since storing it would need a float per element. Among elements with the threshold's variance the first are
     * kept, so exactly k are kept; equalSeen restarts with each pass. Factor floor(float · float) as in mergekit.
     */

    private static final double ZERO = 1e-6;

    Sce {
        if (!(selectTopK >= 0 && selectTopK <= 1)) {
            throw new IllegalArgumentException("select_topk must be in [0, 1] but was " + selectTopK);
        }
    }

    @Override
    public double cost() {
        return 14.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int n = in.sources() - 1;
        Selection selection = new Selection(n, selectTopK);
        selection.prepare(in);
        double[] energy = new double[n];
        selection.begin();
        float[][] deltas = new float[n][];
        in.pass((x, first, count) -> {
            selection.deltas(x, count, deltas);
            for (int i = 0; i < n; i++) {
                energy[i] += Kernels.BEST.dot(deltas[i], deltas[i], 0, count) / in.elements();
            }
        });
        double total = Arrays.stream(energy).sum();
        double[] a = Arrays.stream(energy)
                .map(e -> Math.abs(total) < ZERO ? 1.0 / n : e / total)
                .toArray();
        out.fact("weights", Arrays.toString(a));
        float[][] result = new float[1][];
        selection.begin();
        in.pass((x, first, count) -> {
            selection.deltas(x, count, deltas);
            float[] to = Vectors.room(result[0], count);
            result[0] = to;
            for (int j = 0; j < count; j++) {
                to[j] = (float) (x[0][j] + erased(deltas, a, j));
            }
            out.put(to, count);
        });
    }

    private static double erased(float[][] deltas, double[] a, int j) {
        double vote = 0;
        for (float[] delta : deltas) {
            vote += delta[j];
        }
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < a.length; i++) {
            if (vote >= 0 ? deltas[i][j] > 0 : deltas[i][j] < 0) {
                sum += a[i] * deltas[i][j];
                weight += a[i];
            }
        }
        return sum / Math.max(weight, ZERO);
    }

    /** Selects the elements with the largest variance. */
    private static final class Selection {
        private final int n;
        private final double topK;
        private boolean none;
        private float threshold = -1;
        private long equalKept;
        private long equalSeen;
        private float[] variances = new float[0];

        Selection(int n, double topK) {
            this.n = n;
            this.topK = topK;
        }

        void prepare(TensorWindows in) {
            if (topK >= 1) {
                return;
            }
            long[] nonZero = new long[1];
            OrderStatistics.Sequence sequence = block -> in.pass((x, first, count) -> {
                variances(x, count);
                block.accept(variances, count);
            });
            sequence.read((values, count) -> {
                for (int i = 0; i < count; i++) {
                    nonZero[0] += values[i] != 0 ? 1 : 0;
                }
            });
            long kept = (long) Math.floor((float) nonZero[0] * (float) topK);
            none = kept <= 0;
            if (!none) {
                OrderStatistics.Rank rank = OrderStatistics.select(sequence, in.elements() - kept)[0];
                threshold = rank.value();
                equalKept = kept - (in.elements() - rank.below() - rank.equal());
            }
        }

        void begin() {
            equalSeen = 0;
        }

        /** Writes the differences of a window, with 0 for elements that are not selected. */
        void deltas(float[][] x, int count, float[][] into) {
            for (int i = 0; i < n; i++) {
                into[i] = Vectors.subtract(x[i + 1], x[0], count, into[i]);
            }
            if (topK >= 1) {
                return;
            }
            variances(x, count);
            for (int j = 0; j < count; j++) {
                boolean kept =
                        !none && (variances[j] > threshold || variances[j] == threshold && ++equalSeen <= equalKept);
                for (int i = 0; !kept && i < n; i++) {
                    into[i][j] = 0;
                }
            }
        }

        private void variances(float[][] x, int count) {
            variances = Vectors.room(variances, count);
            for (int j = 0; j < count; j++) {
                double mean = 0;
                for (int i = 1; i <= n; i++) {
                    mean += x[i][j] - x[0][j];
                }
                mean /= n;
                double squares = 0;
                for (int i = 1; i <= n; i++) {
                    double off = (x[i][j] - x[0][j]) - mean;
                    squares += off * off;
                }
                variances[j] = (float) (squares / n);
            }
        }
    }
}
