package dev.pollux.internal.math;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * CMA-ES: adapts the mean and covariance of a normal distribution towards good points (Hansen, "The CMA evolution strategy:
 * a tutorial", arXiv 1604.00772, whose notation is used), maximizing over the unit cube. Points outside are mirrored into
 * it. <em>Confined to one thread.</em>
 */
public final class EvolutionStrategy {

    private final int n;
    private final int lambda;
    private final int mu;
    private final double[] w; // (mu), recombination weights
    private final double muEff;
    private final double cSigma;
    private final double dSigma;
    private final double cC;
    private final double c1;
    private final double cMu;
    private final double chiN; // E‖N(0, I)‖
    private final Random random;
    private final double[] mean; // (n)
    private final double[] pSigma; // (n)
    private final double[] pC; // (n)
    private final double[][] covariance; // (n, n)
    private double[][] basis; // (n, n), B of C = BD²Bᵀ
    private double[] lengths; // (n), D
    private double sigma = 0.3;
    private int generation;

    /**
     * @param start where the distribution begins, (n), each in [0, 1]
     */
    public EvolutionStrategy(double[] start, long seed) {
        n = start.length;
        mean = start.clone();
        random = new Random(seed);
        lambda = 4 + (int) (3 * Math.log(n));
        mu = lambda / 2;
        w = new double[mu];
        Arrays.setAll(w, i -> Math.log((lambda + 1) / 2.0) - Math.log(i + 1.0));
        double sum = Arrays.stream(w).sum();
        Arrays.setAll(w, i -> w[i] / sum);
        muEff = 1 / Arrays.stream(w).map(x -> x * x).sum();
        cSigma = (muEff + 2) / (n + muEff + 5);
        dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma;
        cC = (4 + muEff / n) / (n + 4 + 2 * muEff / n);
        c1 = 2 / ((n + 1.3) * (n + 1.3) + muEff);
        cMu = Math.min(1 - c1, 2 * (muEff - 2 + 1 / muEff) / ((n + 2) * (n + 2) + muEff));
        chiN = Math.sqrt(n) * (1 - 1 / (4.0 * n) + 1 / (21.0 * n * n));
        pSigma = new double[n];
        pC = new double[n];
        covariance = new double[n][n];
        basis = new double[n][n];
        lengths = new double[n];
        for (int i = 0; i < n; i++) {
            covariance[i][i] = 1;
            basis[i][i] = 1;
            lengths[i] = 1;
        }
    }

    /** The next points to score, (λ, n), not mirrored. */
    public double[][] ask() {
        double[][] points = new double[lambda][n];
        for (double[] point : points) {
            double[] z = new double[n];
            Arrays.setAll(z, i -> lengths[i] * random.nextGaussian());
            for (int i = 0; i < n; i++) {
                double y = 0;
                for (int k = 0; k < n; k++) {
                    y += basis[i][k] * z[k];
                }
                point[i] = mean[i] + sigma * y;
            }
        }
        return points;
    }

    /** The point of the unit cube to which {@code x} is mirrored. */
    public static double mirrored(double x) {
        double folded = Math.abs(x) % 2;
        return folded > 1 ? 2 - folded : folded;
    }

    /** Updates the distribution from the scores of the points of {@link #ask}; higher is better, NaN is worst. */
    public void tell(double[][] points, double[] scores) {
        int[] order = IntStream.range(0, lambda)
                .boxed()
                .sorted(Comparator.comparingDouble(
                        i -> Double.isNaN(scores[i]) ? Double.POSITIVE_INFINITY : -scores[i]))
                .mapToInt(i -> i)
                .toArray();
        double[] old = mean.clone();
        Arrays.fill(mean, 0);
        for (int r = 0; r < mu; r++) {
            for (int i = 0; i < n; i++) {
                mean[i] += w[r] * points[order[r]][i];
            }
        }
        double[] step = new double[n];
        Arrays.setAll(step, i -> (mean[i] - old[i]) / sigma);
        generation++;
        double[] white = whitened(step);
        double pull = Math.sqrt(cSigma * (2 - cSigma) * muEff);
        Arrays.setAll(pSigma, i -> (1 - cSigma) * pSigma[i] + pull * white[i]);
        double norm = Math.sqrt(Arrays.stream(pSigma).map(x -> x * x).sum());
        boolean slow = norm / Math.sqrt(1 - Math.pow(1 - cSigma, 2.0 * generation)) < (1.4 + 2 / (n + 1.0)) * chiN;
        double drag = slow ? Math.sqrt(cC * (2 - cC) * muEff) : 0;
        Arrays.setAll(pC, i -> (1 - cC) * pC[i] + drag * step[i]);
        adapt(points, order, old, slow ? 0 : cC * (2 - cC));
        sigma = Math.min(1, sigma * Math.exp(cSigma / dSigma * (norm / chiN - 1)));
        decompose();
    }

    private void adapt(double[][] points, int[] order, double[] old, double lost) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double c = (1 - c1 - cMu + c1 * lost) * covariance[i][j] + c1 * pC[i] * pC[j];
                for (int r = 0; r < mu; r++) {
                    double[] point = points[order[r]];
                    c += cMu * w[r] * (point[i] - old[i]) * (point[j] - old[j]) / (sigma * sigma);
                }
                covariance[i][j] = c;
                covariance[j][i] = c;
            }
        }
    }

    /** C<sup>−1/2</sup>·step. */
    private double[] whitened(double[] step) {
        double[] result = new double[n];
        for (int k = 0; k < n; k++) {
            double along = 0;
            for (int i = 0; i < n; i++) {
                along += basis[i][k] * step[i];
            }
            for (int i = 0; i < n; i++) {
                result[i] += basis[i][k] * along / lengths[k];
            }
        }
        return result;
    }

    /** The singular values of a symmetric positive matrix are its eigenvalues. */
    private void decompose() {
        SingularValues values = SingularValues.of(covariance);
        basis = values.v();
        lengths = Arrays.stream(values.values())
                .map(x -> Math.sqrt(Math.max(x, 1e-20)))
                .toArray();
    }
}
