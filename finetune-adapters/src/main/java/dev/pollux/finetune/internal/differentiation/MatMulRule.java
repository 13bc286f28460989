package dev.pollux.finetune.internal.differentiation;

/** Y = A B: dA = dY Bᵀ, dB = Aᵀ dY, without a transpose of either in memory. */
final class MatMulRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        Products.gradients(n, false, false, 1);
    }
}
