package dev.pollux.finetune.internal.differentiation;

/**
 * Y = α op(A) op(B), op the identity or the transpose of the last two axes: dA = α dY op(B)ᵀ, transposed where A is; dB =
 * α op(A)ᵀ dY, transposed where B is.
 */
final class FusedMatMulRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        if (n.node().integer("transBatchA", 0) != 0 || n.node().integer("transBatchB", 0) != 0) {
            throw n.refused("it transposes the batch");
        }
        Products.gradients(
                n,
                n.node().integer("transA", 0) != 0,
                n.node().integer("transB", 0) != 0,
                n.node().number("alpha", 1));
    }
}
