package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Quadratic;
import dev.pollux.tensor.TensorSink;
import java.util.Arrays;

/**
 * The mean on the sphere (Karcher, "Riemannian center of mass and mollifier smoothing", 1977) with equal weights; a base is one
 * of the models.
 *
 * <p>From u = Σ u<sub>i</sub>/N, normalised, with u<sub>i</sub> = θ<sub>i</sub>/‖θ<sub>i</sub>‖: T = Σ (1/N)(Θ<sub>i</sub>/sin
 * Θ<sub>i</sub>)(u<sub>i</sub> − c<sub>i</sub>u) with c<sub>i</sub> = ⟨u, u<sub>i</sub>⟩ and Θ<sub>i</sub> = arccos
 * c<sub>i</sub>; u ← u cos‖T‖ + T sin‖T‖/‖T‖, normalised, until ‖T‖ &lt; tol. The result is u times the mean norm. Every u is
 * in the span of the u<sub>i</sub>, so the models are read twice for any number of steps. Tensors with ‖θ<sub>i</sub>‖ ≤ tol
 * contribute only to the mean norm. <em>Immutable.</em>
 *
 * @param maxIter maximum number of steps, ≥ 0; default 10
 * @param tol greater than 0; default 1e-5
 */
record Karcher(int maxIter, double tol) implements MergeMethod {

    Karcher {
        if (maxIter < 0) {
            throw new IllegalArgumentException("max_iter must be at least 0 but was " + maxIter);
        }
        if (!(tol > 0)) {
            throw new IllegalArgumentException("tol must be greater than 0 but was " + tol);
        }
    }

    @Override
    public double cost() {
        return 2.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        double[][] gram = Vectors.gram(in, false);
        int n = gram.length;
        double[] norms = new double[n];
        for (int i = 0; i < n; i++) {
            norms[i] = Math.sqrt(gram[i][i]);
        }
        double[] inverse =
                Arrays.stream(norms).map(norm -> norm > tol ? 1 / norm : 0).toArray();
        double[][] cosines = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                cosines[i][j] = gram[i][j] * inverse[i] * inverse[j];
            }
        }
        double radius = Arrays.stream(norms).sum() / n;
        double[] mean = mean(cosines, inverse, out);
        double[] coefficients = new double[n];
        for (int i = 0; i < n; i++) {
            coefficients[i] = mean[i] * inverse[i] * radius;
        }
        Vectors.combine(in, coefficients, out);
    }

    /** The mean direction as coefficients of the u<sub>i</sub>. */
    private double[] mean(double[][] cosines, double[] inverse, TensorSink out) {
        int n = inverse.length;
        long present = Arrays.stream(inverse).filter(i -> i > 0).count();
        double[] u = new double[n];
        if (present == 0) {
            return u;
        }
        Arrays.setAll(u, i -> inverse[i] > 0 ? 1.0 / present : 0);
        double norm = Math.sqrt(Math.max(0, Quadratic.of(u, cosines)));
        if (norm < tol) {
            Arrays.fill(u, 0);
            u[first(inverse)] = 1;
        } else {
            scale(u, 1 / norm);
        }
        int steps = 0;
        for (; steps < maxIter; steps++) {
            double[] tangent = tangent(u, cosines, inverse, present);
            double length = Math.sqrt(Math.max(0, Quadratic.of(tangent, cosines)));
            if (length < tol) {
                break;
            }
            for (int i = 0; i < n; i++) {
                u[i] = Math.cos(length) * u[i] + Math.sin(length) / length * tangent[i];
            }
            scale(u, 1 / Math.sqrt(Quadratic.of(u, cosines)));
        }
        out.fact("steps", Integer.toString(steps));
        return u;
    }

    private double[] tangent(double[] u, double[][] cosines, double[] inverse, long present) {
        double[] tangent = new double[u.length];
        for (int i = 0; i < u.length; i++) {
            if (inverse[i] == 0) {
                continue;
            }
            double c = Math.max(-1, Math.min(1, Quadratic.row(u, cosines[i])));
            double angle = Math.acos(c);
            double sine = Math.sin(angle);
            if (angle < tol || sine == 0) {
                continue;
            }
            double factor = angle / sine / present;
            tangent[i] += factor;
            for (int j = 0; j < u.length; j++) {
                tangent[j] -= factor * c * u[j];
            }
        }
        return tangent;
    }

    private static int first(double[] inverse) {
        int i = 0;
        while (inverse[i] == 0) {
            i++;
        }
        return i;
    }

    private static void scale(double[] u, double factor) {
        for (int i = 0; i < u.length; i++) {
            u[i] *= factor;
        }
    }
}
