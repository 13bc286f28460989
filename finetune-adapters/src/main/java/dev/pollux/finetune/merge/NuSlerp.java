package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.tensor.TensorSink;

/**
 * Spherical interpolation between two models, of whole tensors, rows or columns.
 *
 * <p>With x<sub>i</sub> = θ<sub>i</sub>, or δ<sub>i</sub> if there is a base, t = w<sub>2</sub>/(w<sub>1</sub> + w<sub>2</sub>)
 * (0.5 where the sum is 0) and Θ the angle between two vectors: [sin((1 − t)Θ)·x<sub>1</sub> + sin(tΘ)·x<sub>2</sub>] / sin Θ
 * (+ θ<sub>0</sub>), and linear interpolation if sin Θ &lt; 1e-8. <em>Immutable.</em>
 *
 * @param first weight of the first model, finite
 * @param second weight of the second model, finite
 * @param vectors the vectors to interpolate
 * @param base whether the first source is a base
 */
record NuSlerp(double first, double second, Along vectors, boolean base) implements MergeMethod {

    private static final double ZERO_SUM = 1e-6;
    private static final double ZERO_NORM = 1e-7;
    private static final double ZERO_SINE = 1e-8;

    /** The vectors to interpolate. */
    enum Along {
        /** The tensor as one vector. */
        TENSOR,
        /** Each row, along the last dimension. */
        ROWS,
        /** Each column, along the first dimension; a tensor of one dimension is one vector. */
        COLUMNS
    }

    NuSlerp {
        Weights.finite("weight", first);
        Weights.finite("weight", second);
    }

    private double t() {
        return Math.abs(first + second) < ZERO_SUM ? 0.5 : second / (first + second);
    }

    @Override
    public boolean takesEveryValue() {
        return true;
    }

    @Override
    public double cost() {
        return 2.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        boolean whole = vectors == Along.TENSOR || in.elements() == in.rowLength();
        if (whole) {
            double[][] gram = Vectors.gram(in, base);
            double[] coefficients = coefficients(gram[0][0], gram[0][1], gram[1][1]);
            if (base) {
                Vectors.combineDeltas(in, coefficients, out);
            } else {
                Vectors.combine(in, coefficients, out);
            }
        } else if (vectors == Along.ROWS) {
            mergeRows(in, out);
        } else {
            mergeColumns(in, out);
        }
    }

    private double[] coefficients(double square1, double product, double square2) {
        double norm1 = Math.max(Math.sqrt(square1), ZERO_NORM);
        double norm2 = Math.max(Math.sqrt(square2), ZERO_NORM);
        double angle = Math.acos(Math.max(-1, Math.min(1, product / norm1 / norm2)));
        double sine = Math.sin(angle);
        double t = t();
        if (Math.abs(sine) < ZERO_SINE) {
            return new double[] {1 - t, t};
        }
        return new double[] {Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine};
    }

    private void mergeRows(TensorWindows in, TensorSink out) {
        int skip = base ? 1 : 0;
        Vectors.Sum sum = new Vectors.Sum();
        float[][] v = new float[2][];
        in.pass((x, from, count) -> {
            sum.begin(count);
            for (int i = 0; i < 2; i++) {
                v[i] = Vectors.room(v[i], count);
                for (int j = 0; j < count; j++) {
                    v[i][j] = base ? x[i + skip][j] - x[0][j] : x[i][j];
                }
            }
            if (base) {
                sum.add(1, x[0], 0, count);
            }
            int row = in.rowLength();
            for (int r = 0; r < count; r += row) {
                double[] c = coefficients(
                        Kernels.BEST.dot(v[0], v[0], r, r + row),
                        Kernels.BEST.dot(v[0], v[1], r, r + row),
                        Kernels.BEST.dot(v[1], v[1], r, r + row));
                sum.add(c[0], v[0], r, row);
                sum.add(c[1], v[1], r, row);
            }
            sum.put(out);
        });
    }

    private void mergeColumns(TensorWindows in, TensorSink out) {
        int skip = base ? 1 : 0;
        int width = (int) (in.elements() / in.height());
        double[][] products = new double[3][width];
        in.pass((x, from, count) -> {
            int column = (int) (from % width);
            for (int j = 0; j < count; j++) {
                float a = base ? x[skip][j] - x[0][j] : x[0][j];
                float b = base ? x[skip + 1][j] - x[0][j] : x[1][j];
                products[0][column] += (double) a * a;
                products[1][column] += (double) a * b;
                products[2][column] += (double) b * b;
                column = column + 1 == width ? 0 : column + 1;
            }
        });
        double[][] factors = new double[width][];
        for (int c = 0; c < width; c++) {
            factors[c] = coefficients(products[0][c], products[1][c], products[2][c]);
        }
        float[][] result = new float[1][];
        in.pass((x, from, count) -> {
            float[] to = Vectors.room(result[0], count);
            result[0] = to;
            int column = (int) (from % width);
            for (int j = 0; j < count; j++) {
                double origin = base ? x[0][j] : 0;
                double[] c = factors[column];
                to[j] = (float) (origin + c[0] * (x[skip][j] - origin) + c[1] * (x[skip + 1][j] - origin));
                column = column + 1 == width ? 0 : column + 1;
            }
            out.put(to, count);
        });
    }
}
