package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Quadratic;
import dev.pollux.tensor.TensorSink;
import java.util.Arrays;
import java.util.List;

/**
 * Spherical interpolation between any number of models: one tangent step from the weighted mean direction.
 *
 * <p>With x<sub>i</sub> = θ<sub>i</sub>, or δ<sub>i</sub> if there is a base, u<sub>i</sub> = x<sub>i</sub> / (‖x<sub>i</sub>‖
 * + ε), μ = Σ w<sub>i</sub>u<sub>i</sub> and μ̂ = μ/‖μ‖: T = Σ w<sub>i</sub>(u<sub>i</sub> − ⟨u<sub>i</sub>, μ̂⟩μ̂), ρ = ‖T‖ +
 * ε, θ = (μ̂ cos ρ + T sin ρ/ρ)·Σ w<sub>i</sub>‖x<sub>i</sub>‖ (+ θ<sub>0</sub>). θ (− θ<sub>0</sub>) is in the span of the
 * x<sub>i</sub>, so their inner products suffice. If ‖μ‖ &lt; ε, there is no direction, and the result is Σ
 * w<sub>i</sub>x<sub>i</sub> (+ θ<sub>0</sub>). <em>Immutable.</em>
 *
 * @param weights (N ≥ 2), finite
 * @param normalizeWeights whether weights are divided by their sum first
 * @param eps greater than 0; default 1e-8
 * @param base whether the first source is a base
 */
record MultiSlerp(List<Double> weights, boolean normalizeWeights, double eps, boolean base) implements MergeMethod {

    MultiSlerp {
        weights = Weights.finite("weight", weights);
        if (!(eps > 0 && eps < 1)) {
            throw new IllegalArgumentException("eps must be in (0, 1) but was " + eps);
        }
        if (normalizeWeights && Weights.sum(weights) == 0) {
            throw new IllegalArgumentException("weights must not sum to 0 but " + weights
                    + " do, and normalizing divides by the sum; change them or set normalize_weights: false");
        }
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
        double sum = normalizeWeights ? Weights.sum(weights) : 1;
        double[] w = Arrays.stream(Weights.array(weights))
                .map(weight -> weight / sum)
                .toArray();
        double[] coefficients = coefficients(w, Vectors.gram(in, base), out);
        if (base) {
            Vectors.combineDeltas(in, coefficients, out);
        } else {
            Vectors.combine(in, coefficients, out);
        }
    }

    private double[] coefficients(double[] w, double[][] gram, TensorSink out) {
        int n = w.length;
        double[] inverse = new double[n]; // u_i = inverse_i * x_i
        double radius = 0;
        for (int i = 0; i < n; i++) {
            double norm = Math.sqrt(gram[i][i]);
            inverse[i] = 1 / (norm + eps);
            radius += w[i] * norm;
        }
        double[][] cosines = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                cosines[i][j] = gram[i][j] * inverse[i] * inverse[j];
            }
        }
        double mean = Math.sqrt(Math.max(0, Quadratic.of(w, cosines)));
        if (mean < eps) {
            out.fact("branch", "linear");
            return w;
        }
        double along = 0; // Σ w_i <u_i, μ̂>
        for (int i = 0; i < n; i++) {
            along += w[i] * Quadratic.row(w, cosines[i]) / mean;
        }
        double[] tangent = new double[n]; // over the u_i
        for (int i = 0; i < n; i++) {
            tangent[i] = w[i] - along * w[i] / mean;
        }
        double rho = Math.sqrt(Math.max(0, Quadratic.of(tangent, cosines))) + eps;
        double[] coefficients = new double[n];
        for (int i = 0; i < n; i++) {
            double direction = w[i] / mean * Math.cos(rho) + tangent[i] * Math.sin(rho) / rho;
            coefficients[i] = direction * inverse[i] * radius;
        }
        return coefficients;
    }
}
