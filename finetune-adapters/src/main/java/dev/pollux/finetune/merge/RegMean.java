package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Blas;
import dev.pollux.internal.math.Cholesky;
import dev.pollux.tensor.TensorSink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The matrix with the least squared error to the outputs of all models on their own inputs (Jin, Ren, Preotiuc-Pietro and
 * Cheng, "Dataless knowledge fusion by merging weights of language models", arXiv 2212.09849): with W<sub>i</sub> of shape
 * (out, in) and G<sub>i</sub> = Σ xxᵀ over the inputs x of the layer in model i, W = (Σ
 * w<sub>i</sub>W<sub>i</sub>G̃<sub>i</sub>)(Σ w<sub>i</sub>G̃<sub>i</sub>)⁻¹, where G̃ is G with its elements off the diagonal
 * multiplied by α. The system is solved in 64-bit floats by Cholesky decomposition. 10⁻⁹ of the mean diagonal is added to the
 * diagonal, so inputs that were always 0 get the mean.
 *
 * <p>G<sub>i</sub> comes from {@code gram.safetensors} in the model's folder, or in the folder of the adapter that is applied
 * to it, as written by {@link GramCollection}: for each matrix of a linear layer, a symmetric tensor of floats, (in, in), with
 * the name of the matrix. A tensor without G in every model gets the weighted mean. The matrices G are in memory and not part
 * of the merge's budget. <em>Immutable, if {@code grams} is.</em>
 *
 * @param weights (N), each &gt; 0
 * @param alpha α, in [0, 1]; 0.9 in the paper
 * @param grams G of each model
 */
record RegMean(List<Double> weights, double alpha, Grams grams) implements MergeMethod {
    /*
     * W solves W·A = B with A = Σ wG̃ (symmetric positive definite by the ridge) and B = Σ wWG̃. A depends on the layer
     * alone, so it is decomposed once; the rows of W are independent and pass through in panels, whatever the windows are.
     * Results therefore do not depend on the memory.
     */

    /** The file in the folder of a model or an adapter. */
    static final String FILE = "gram.safetensors";

    /** The widest layer whose Gram matrices are read. */
    static final int MAX_WIDTH = 8192;

    private static final double RIDGE = 1e-9;

    /** Rows solved at a time: enough to amortize reading a Gram matrix, few enough to stay in the cache. */
    private static final int PANEL = 64;

    /** The inner products of the inputs of a layer. */
    @FunctionalInterface
    interface Grams {
        /** G of model {@code i}, (in, in). */
        float[] of(int i);
    }

    RegMean {
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
    public Optional<WithStatistics> withStatistics(SideStatistics statistics) {
        return statistics.regMean(this).map(method -> new WithStatistics(method, List.of()));
    }

    @Override
    public double cost() {
        return 4.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        int width = in.rowLength();
        List<Product> products = new ArrayList<>();
        double[][] sum = new double[width][width];
        for (int i = 0; i < weights.size(); i++) {
            Product product = new Product(weights.get(i), grams.of(i), width);
            product.addTo(sum);
            products.add(product);
        }
        Panel panel = new Panel(products, Cholesky.of(sum), width);
        in.pass((x, first, count) -> {
            for (int at = 0; at < count; at += width) {
                panel.take(x, at);
                panel.giveIfFull(out);
            }
        });
        panel.give(out);
    }

    /** Rows that are solved together, independent of the windows. <em>Confined to one thread.</em> */
    private static final class Panel {

        private final List<Product> products;
        private final Cholesky solver;
        private final int width;
        private final float[][] models; // (N, PANEL · width)
        private final float[] result; // (PANEL · width)
        private int rows;

        Panel(List<Product> products, Cholesky solver, int width) {
            this.products = products;
            this.solver = solver;
            this.width = width;
            this.models = new float[products.size()][PANEL * width];
            this.result = new float[PANEL * width];
        }

        /** Adds the row of every model that begins at {@code at}. */
        void take(float[][] x, int at) {
            for (int i = 0; i < models.length; i++) {
                System.arraycopy(x[i], at, models[i], rows * width, width);
            }
            rows++;
        }

        void giveIfFull(TensorSink out) {
            if (rows == PANEL) {
                give(out);
            }
        }

        void give(TensorSink out) {
            double[][] y = new double[rows][width]; // Σ wWG̃
            for (int i = 0; i < models.length; i++) {
                products.get(i).add(models[i], y);
            }
            solver.solve(y);
            for (int row = 0; row < rows; row++) {
                for (int k = 0; k < width; k++) {
                    result[row * width + k] = (float) y[row][k];
                }
            }
            out.put(result, rows * width);
            rows = 0;
        }
    }

    /** wG̃ of one model, plus the ridge. */
    private final class Product {

        private final double weight;
        private final float[] gram; // (width, width)
        private final int width;
        private final double ridge;

        Product(double weight, float[] gram, int width) {
            this.weight = weight;
            this.gram = gram;
            this.width = width;
            double mean = 0;
            for (int k = 0; k < width; k++) {
                mean += gram[k * width + k] / (double) width;
            }
            this.ridge = mean > 0 ? RIDGE * mean : RIDGE;
        }

        /** A row of it. */
        private void row(int row, double[] into) {
            double scale = weight * alpha;
            for (int column = 0; column < width; column++) {
                into[column] = scale * gram[row * width + column];
            }
            into[row] = weight * (gram[row * width + row] + ridge);
        }

        void addTo(double[][] sum) {
            double[] line = new double[width];
            for (int row = 0; row < width; row++) {
                row(row, line);
                Blas.add(1, line, sum[row], 0);
            }
        }

        /** y += w·W·G̃, for as many rows of W as y has. */
        void add(float[] w, double[][] y) {
            double[][] lines = new double[4][width];
            double[] four = new double[4];
            for (int k = 0; k < width; k += 4) {
                int some = Math.min(4, width - k);
                for (int f = 0; f < some; f++) {
                    row(k + f, lines[f]);
                }
                for (int row = 0; row < y.length; row++) {
                    for (int f = 0; f < 4; f++) {
                        four[f] = f < some ? w[row * width + k + f] : 0;
                    }
                    Blas.add(four, lines, 0, y[row], 0, width);
                }
            }
        }
    }

    /** Omits the matrices. */
    @Override
    public String toString() {
        return "RegMean[weights=" + weights + ", alpha=" + alpha + "]";
    }
}
