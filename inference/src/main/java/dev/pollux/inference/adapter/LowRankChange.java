package dev.pollux.inference.adapter;

import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * The change of a matrix as a product of two factors, ΔW = scale·B·A (LoRA, arXiv 2106.09685). <em>Immutable; as thread-safe as
 * its tensors.</em>
 *
 * <p>W has the shape (rows, columns), outputs first. An embedding and a matrix that is stored as (in, out) have the transpose,
 * (columns, rows): for an embedding, rows is the hidden size and columns the number of tokens.
 *
 * @param a A, (rank, columns)
 * @param b B, (rows, rank)
 * @param scale α/rank, or α/√rank for rsLoRA (arXiv 2312.03732)
 * @param embedding whether the factors are for the transpose of an embedding
 */
public record LowRankChange(TensorSource a, TensorSource b, double scale, boolean embedding) {

    /** The largest rank accepted. */
    public static final int MAX_RANK = 1 << 14;

    /**
     * @throws IllegalArgumentException if the factors do not share a rank in [1, {@value #MAX_RANK}], or the scale is not
     *     finite
     */
    public LowRankChange {
        if (!fit(a.shape(), b.shape())) {
            throw new IllegalArgumentException("factors must be (rank, columns) and (rows, rank) with a rank in [1, "
                    + MAX_RANK + "] but are " + a.shape() + " and " + b.shape());
        }
        if (!Double.isFinite(scale)) {
            throw new IllegalArgumentException("scale must be finite but was " + scale);
        }
    }

    /** Whether factors of these shapes can be multiplied. */
    static boolean fit(List<Long> a, List<Long> b) {
        return a.size() == 2
                && b.size() == 2
                && a.get(0).equals(b.get(1))
                && a.get(0) >= 1
                && a.get(0) <= MAX_RANK
                && a.get(1) >= 1
                && b.get(0) >= 1;
    }

    /** The rank, in [1, {@value #MAX_RANK}]. */
    public int rank() {
        return a.shape().get(0).intValue();
    }

    /** The matrix's outputs; for an embedding, the hidden size. */
    public int rows() {
        return Math.toIntExact(b.shape().get(0));
    }

    /** The matrix's inputs; for an embedding, its tokens. */
    public int columns() {
        return Math.toIntExact(a.shape().get(1));
    }

    /**
     * The matrix with this change, calculated on reading.
     *
     * @param matrix (rows, columns), or (columns, rows) where {@code transposed}
     * @param transposed whether it is an embedding or stored as (in, out)
     * @param label of the result, for reports
     */
    public TensorSource addedTo(TensorSource matrix, boolean transposed, String label) {
        return new LoraTensor(matrix, a, b, transposed, scale, label);
    }

    /**
     * The matrix with this change, scaled to given lengths of its outputs' weights (DoRA, arXiv 2402.09353).
     *
     * @param magnitude (rows)
     */
    public TensorSource addedTo(TensorSource matrix, boolean transposed, TensorSource magnitude, String label) {
        return new DoraTensor(addedTo(matrix, transposed, label), magnitude, transposed);
    }
}
