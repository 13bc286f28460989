package dev.pollux.inference.internal.layerwise;

/**
 * Sums over the tokens that a {@link LinearInput} x was computed for. <em>Not thread-safe: one thread at a time.</em>
 *
 * <p>Products are computed in 32-bit floats over the tokens of a batch, and added in 64-bit floats.
 */
public final class InputMoments {

    private final double[][] gram; // row i has i + 1 elements
    private final double[] magnitudes; // (width)
    private long tokens;

    InputMoments(int width) {
        gram = new double[width][];
        for (int i = 0; i < width; i++) {
            gram[i] = new double[i + 1];
        }
        magnitudes = new double[width];
    }

    /**
     * Adds the sums of a batch.
     *
     * @param some Σ xxᵀ, (width, width)
     * @param absolute Σ |x|, (width)
     */
    void add(long count, float[] some, float[] absolute) {
        int width = gram.length;
        for (int i = 0; i < width; i++) {
            double[] row = gram[i];
            for (int j = 0; j <= i; j++) {
                row[j] += some[i * width + j];
            }
            magnitudes[i] += absolute[i];
        }
        tokens += count;
    }

    /** The number of tokens; for an expert, of those that were routed to it. */
    public long tokens() {
        return tokens;
    }

    /** The lower triangle of Σ xxᵀ: row i has the elements 0 to i. It is not a copy. */
    public double[][] gram() {
        return gram;
    }

    /** Σ |x|, (width). It is not a copy. */
    public double[] magnitudes() {
        return magnitudes;
    }
}
