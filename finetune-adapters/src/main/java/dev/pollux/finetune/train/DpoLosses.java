package dev.pollux.finetune.train;

/** The losses of DPO's relatives and their derivatives. */
final class DpoLosses {

    /*
     * Of the difference of scores Δ, with x = βΔ:
     *
     *   sigmoid, sigmoid_norm   −log σ(x)                                dΔ: −β σ(−x)
     *   hinge                   max(0, 1 − x)                            dΔ: −β where x < 1
     *   ipo                     (Δ − 1 / (2β))²                          dΔ: 2 (Δ − 1 / (2β))
     *   exo_pair                p (log p − log(1 − ε)) + q (log q − log ε), p = σ(x), q = σ(−x)
     *                                                                    dΔ: β p q (x − log((1 − ε) / ε))
     *   robust                  (−(1 − ε) log σ(x) + ε log σ(−x)) / (1 − 2ε)
     *                                                                    dΔ: −β ((1 − ε) σ(−x) + ε σ(x)) / (1 − 2ε)
     *   discopop                (1 − m) (−log σ(x)) + m e^−x, m = σ(x / τ)
     *                                                dx: −(1 − m) σ(−x) − m e^−x + m (1 − m) / τ (e^−x + log σ(x))
     *
     * Of the two log-ratios w and l of a pair, with r = β w and s = β l:
     *
     *   nca_pair    −log σ(r) − ½ log σ(−r) − ½ log σ(−s)     bco_pair   −log σ(r) − log σ(−s)
     *   sppo_hard   (w − 1 / (2β))² + (l + 1 / (2β))²         apo_zero   1 − σ(r) + σ(s)
     *   apo_down    σ(r) + 1 − σ(r − s)
     */

    private DpoLosses() {}

    static double value(DpoOptions.Loss loss, double delta, DpoOptions o) {
        double x = o.beta() * delta;
        double e = o.labelSmoothing();
        return switch (loss) {
            case HINGE -> Math.max(0, 1 - x);
            case IPO -> Math.pow(delta - 1 / (2 * o.beta()), 2);
            case EXO_PAIR ->
                Sigmoid.of(x) * (Sigmoid.log(x) - Math.log1p(-e)) + Sigmoid.of(-x) * (Sigmoid.log(-x) - Math.log(e));
            case ROBUST -> (-(1 - e) * Sigmoid.log(x) + e * Sigmoid.log(-x)) / (1 - 2 * e);
            case DISCOPOP -> {
                double m = Sigmoid.of(x / o.discopopTau());
                yield -Sigmoid.log(x) * (1 - m) + Math.exp(-x) * m;
            }
            default -> -Sigmoid.log(x);
        };
    }

    static double slope(DpoOptions.Loss loss, double delta, DpoOptions o) {
        double beta = o.beta();
        double x = beta * delta;
        double e = o.labelSmoothing();
        return switch (loss) {
            case HINGE -> x < 1 ? -beta : 0;
            case IPO -> 2 * (delta - 1 / (2 * beta));
            case EXO_PAIR -> beta * Sigmoid.slope(x) * (x - Math.log((1 - e) / e));
            case ROBUST -> -beta * ((1 - e) * Sigmoid.of(-x) + e * Sigmoid.of(x)) / (1 - 2 * e);
            case DISCOPOP -> {
                double tau = o.discopopTau();
                double m = Sigmoid.of(x / tau);
                double exp = Math.exp(-x);
                yield beta * (-(1 - m) * Sigmoid.of(-x) - m * exp + m * (1 - m) / tau * (exp + Sigmoid.log(x)));
            }
            default -> -beta * Sigmoid.of(-x);
        };
    }

    /** The value, and the derivatives by w and l. */
    static double[] ofRatios(DpoOptions.Loss loss, double w, double l, double beta) {
        double r = beta * w;
        double s = beta * l;
        return switch (loss) {
            case NCA_PAIR ->
                new double[] {
                    -Sigmoid.log(r) - 0.5 * Sigmoid.log(-r) - 0.5 * Sigmoid.log(-s),
                    beta * (-Sigmoid.of(-r) + 0.5 * Sigmoid.of(r)),
                    beta * 0.5 * Sigmoid.of(s)
                };
            case BCO_PAIR ->
                new double[] {-Sigmoid.log(r) - Sigmoid.log(-s), -beta * Sigmoid.of(-r), beta * Sigmoid.of(s)};
            case SPPO_HARD -> {
                double a = w - 0.5 / beta;
                double b = l + 0.5 / beta;
                yield new double[] {a * a + b * b, 2 * a, 2 * b};
            }
            case APO_ZERO ->
                new double[] {1 - Sigmoid.of(r) + Sigmoid.of(s), -beta * Sigmoid.slope(r), beta * Sigmoid.slope(s)};
            case APO_DOWN ->
                new double[] {
                    Sigmoid.of(r) + 1 - Sigmoid.of(r - s),
                    beta * (Sigmoid.slope(r) - Sigmoid.slope(r - s)),
                    beta * Sigmoid.slope(r - s)
                };
            default -> throw new IllegalArgumentException(loss + " is no loss of log-ratios");
        };
    }

    /** −(1 − ε) log σ(βΔ) − ε log σ(−βΔ). */
    static double smoothed(double delta, DpoOptions o) {
        double x = o.beta() * delta;
        return -Sigmoid.log(x) * (1 - o.labelSmoothing()) - Sigmoid.log(-x) * o.labelSmoothing();
    }

    static double smoothedSlope(double delta, DpoOptions o) {
        double x = o.beta() * delta;
        return o.beta() * (-(1 - o.labelSmoothing()) * Sigmoid.of(-x) + o.labelSmoothing() * Sigmoid.of(x));
    }
}
