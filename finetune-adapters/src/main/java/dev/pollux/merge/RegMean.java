package dev.pollux.merge;

import java.util.List;

/**
 * The matrix whose outputs are nearest to those of all models on their own inputs (Jin, Ren, Preotiuc-Pietro and Cheng,
 * "Dataless knowledge fusion by merging weights of language models", arXiv 2212.09849): with W<sub>i</sub> of shape (out, in)
 * and G<sub>i</sub> = Σ xxᵀ over the inputs x of the layer in model i, W = (Σ w<sub>i</sub>W<sub>i</sub>G̃<sub>i</sub>)(Σ
 * w<sub>i</sub>G̃<sub>i</sub>)⁻¹, where G̃ is G with its elements off the diagonal multiplied by α. Solved in 64-bit floats by
 * Cholesky's decomposition; 10⁻⁹ of the mean diagonal is added to it, so that inputs that were always 0 get the plain mean.
 *
 * <p>G<sub>i</sub> comes from {@code gram.safetensors} in the model's folder, or in that of the adapter that lies over it, as
 * {@link GramCollection} writes it: for each matrix of a linear layer a symmetric
 * tensor of floats, (in, in), with the matrix's name. Tensors that have none in any model get the weighted mean. The matrices
 * G are in memory beside the merge's budget. <em>Immutable, if {@code grams} is.</em>
 *
 * @param weights (N), each above 0
 * @param alpha α, in [0, 1]; the paper takes 0.9
 * @param grams G of each model
 */
public record RegMean(List<Double> weights, double alpha, Grams grams) implements MergeMethod {

    /** The file beside a model's weights. */
    static final String FILE = "gram.safetensors";

    /** The widest layer whose Gram matrices are read. */
    static final int MAX_WIDTH = 8192;

    private static final double RIDGE = 1e-9;

    /** The inner products of the inputs of a layer. */
    @FunctionalInterface
    public interface Grams {
        /** G of model {@code i}, (in, in). */
        float[] of(int i);
    }

    public RegMean {
        weights = Weights.positive("weight", weights);
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("alpha must be in [0, 1] but was " + alpha);
        }
    }

    @Override
    public boolean readsOnce() {
        return true;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int n = weights.size();
        int width = in.rowLength();
        float[][] scaled = new float[n][];
        double[] ridge = new double[n];
        double[] sum = new double[width * width];
        for (int i = 0; i < n; i++) {
            scaled[i] = scaled(grams.of(i), width);
            for (int k = 0; k < width; k++) {
                ridge[i] += RIDGE * scaled[i][k * width + k] / width;
            }
            ridge[i] = ridge[i] > 0 ? ridge[i] : RIDGE;
            double w = weights.get(i);
            for (int k = 0; k < sum.length; k++) {
                sum[k] += w * scaled[i][k];
            }
            for (int k = 0; k < width; k++) {
                sum[k * width + k] += w * ridge[i];
            }
        }
        Cholesky solver = Cholesky.of(sum, width);
        double[] row = new double[width];
        float[][] result = new float[1][];
        in.pass((x, first, count) -> {
            result[0] = Vectors.room(result[0], count);
            for (int from = 0; from < count; from += width) {
                java.util.Arrays.fill(row, 0);
                for (int i = 0; i < n; i++) {
                    multiply(x[i], from, scaled[i], weights.get(i), ridge[i], row);
                }
                solver.solve(row);
                for (int j = 0; j < width; j++) {
                    result[0][from + j] = (float) row[j];
                }
            }
            out.put(result[0], count);
        });
    }

    private float[] scaled(float[] gram, int width) {
        float[] scaled = new float[gram.length];
        for (int k = 0; k < gram.length; k++) {
            scaled[k] = k / width == k % width ? gram[k] : (float) (alpha * gram[k]);
        }
        return scaled;
    }

    /** row += w·x·(G̃ + ridge). */
    private static void multiply(float[] x, int at, float[] gram, double w, double ridge, double[] row) {
        int width = row.length;
        for (int k = 0; k < width; k++) {
            double c = w * x[at + k];
            int line = k * width;
            for (int j = 0; j < width; j++) {
                row[j] += c * gram[line + j];
            }
            row[k] += c * ridge;
        }
    }

    /** Without the matrices. */
    @Override
    public String toString() {
        return "RegMean[weights=" + weights + ", alpha=" + alpha + "]";
    }
}
