package dev.pollux.inference.internal.architecture;

/** The standard normal distribution. */
final class NormalDistribution {

    private NormalDistribution() {}

    /** The number that a share {@code p} of values is below, for p in (0, 1); by Newton's method. */
    static double quantile(double p) {
        double x = 0;
        for (int i = 0; i < 100; i++) {
            double step = (cumulative(x) - p) / density(x);
            x -= Math.max(-1, Math.min(1, step));
            if (Math.abs(step) < 1e-14) {
                break;
            }
        }
        return x;
    }

    private static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    /** ½ + density · (x + x³/3 + x⁵/(3·5) + …). */
    private static double cumulative(double x) {
        double term = x;
        double sum = x;
        for (int n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
            term *= x * x / n;
            sum += term;
        }
        return 0.5 + density(x) * sum;
    }
}
