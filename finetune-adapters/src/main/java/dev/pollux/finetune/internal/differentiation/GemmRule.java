package dev.pollux.finetune.internal.differentiation;

/** Y = α op(A) op(B) + β C: dA and dB as of a product, dC = β dY, summed to the shape of C. */
final class GemmRule implements Rule {

    @Override
    public void apply(BackwardNode n) {
        Products.gradients(
                n,
                n.node().integer("transA", 0) != 0,
                n.node().integer("transB", 0) != 0,
                n.node().number("alpha", 1));
        float beta = n.node().number("beta", 1);
        n.gradient(
                2,
                () -> beta == 1 ? n.dy() : n.graph().multiply(n.dy(), n.graph().number(beta)));
    }
}
