package dev.pollux.internal.math;

import dev.pollux.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** A growing set of orthonormal vectors of one length. <em>Confined to one thread.</em> */
public final class Orthonormal {

    private final List<double[]> rows = new ArrayList<>();
    private final int length;
    private final Random random;

    Orthonormal(int length, Random random) {
        this.length = length;
        this.random = random;
    }

    List<double[]> rows() {
        return rows;
    }

    double[] randomVector() {
        double[] x = new double[length];
        for (int i = 0; i < length; i++) {
            x[i] = random.nextGaussian();
        }
        return x;
    }

    /**
     * Adds the normalized component of {@code x} orthogonal to the set, or a random direction if it is 0. Orthogonalizing
     * twice is enough (Giraud, Langou, Rozložník, "The loss of orthogonality in the Gram-Schmidt orthogonalization process",
     * 2005).
     *
     * @return the vector added
     */
    double[] add(double[] x) {
        double[] candidate = x;
        while (true) {
            double before = Math.sqrt(Blas.dot(candidate, candidate, 0));
            for (int pass = 0; pass < 2; pass++) {
                for (double[] row : rows) {
                    Blas.add(-Blas.dot(candidate, row, 0), row, candidate, 0);
                }
            }
            double after = Math.sqrt(Blas.dot(candidate, candidate, 0));
            if (after > 1e-10 * before && after > 0 && Double.isFinite(after)) {
                for (int i = 0; i < length; i++) {
                    candidate[i] /= after;
                }
                rows.add(candidate);
                return candidate;
            }
            candidate = randomVector();
        }
    }

    public static void check(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) {
            throw new CancelledException("The decomposition was cancelled");
        }
    }
}
