package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;

/**
 * Spherical interpolation from the base to another model (Shoemake, "Animating rotation with quaternion curves", 1985).
 *
 * <p>With d the cosine of the two whole tensors and Θ = arccos d: θ = [sin((1 − t)Θ)·θ<sub>0</sub> + sin(tΘ)·θ<sub>1</sub>] /
 * sin Θ; If |d| &gt; 0.9995, as in most cases for two fine-tunes of one model, θ = (1 − t)θ<sub>0</sub> + tθ<sub>1</sub>. The
 * fact {@code branch} records the branch. <em>Immutable.</em>
 *
 * @param t finite; 0 is the base, 1 the other
 */
record Slerp(double t) implements MergeMethod {

    private static final double COLINEAR = 0.9995;
    private static final double ZERO_NORM = 1e-8;

    Slerp {
        Weights.finite("t", t);
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
        double[][] gram = Vectors.gram(in, false);
        double cosine = gram[0][1] / norm(gram[0][0]) / norm(gram[1][1]);
        boolean line = Math.abs(cosine) > COLINEAR;
        double angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
        out.fact("cosine", Double.toString(cosine));
        out.fact("branch", line ? "lerp" : "slerp");
        double[] coefficients = line
                ? new double[] {1 - t, t}
                : new double[] {Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)};
        Vectors.combine(in, coefficients, out);
    }

    private static double norm(double square) {
        double norm = Math.sqrt(square);
        return norm > ZERO_NORM ? norm : 1;
    }
}
