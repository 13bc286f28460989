package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Value;
import java.util.List;

/** The gradients of a product of matrices. */
final class Products {

    private Products() {}

    /**
     * Y = α op(A) op(B).
     *
     * <pre>
     *            A plain        A transposed
     * dA    α dY op(B)ᵀ      α op(B) dYᵀ
     *            B plain        B transposed
     * dB    α op(A)ᵀ dY      α dYᵀ op(A)
     * </pre>
     */
    static void gradients(BackwardNode n, boolean turnA, boolean turnB, float alpha) {
        BackwardGraph g = n.graph();
        Value a = n.in(0);
        Value b = n.in(1);
        n.gradient(
                0, () -> turnA ? g.product(b, turnB, n.dy(), true, alpha) : g.product(n.dy(), false, b, !turnB, alpha));
        n.gradient(1, () -> {
            if (b.shape().rank() == 2 && a.shape().rank() > 2 && !turnA) {
                return ofMatrix(g, rows(g, a), rows(g, n.dy()), turnB, alpha);
            }
            return turnB ? g.product(n.dy(), true, a, turnA, alpha) : g.product(a, !turnA, n.dy(), false, alpha);
        });
    }

    private static Value ofMatrix(BackwardGraph g, Value a, Value dy, boolean turnB, float alpha) {
        return turnB ? g.product(dy, true, a, false, alpha) : g.product(a, true, dy, false, alpha);
    }

    /** All axes but the last as one. */
    private static Value rows(BackwardGraph g, Value x) {
        return g.reshaped(x, List.of(-1L, x.shape().size(-1)));
    }
}
