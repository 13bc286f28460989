package dev.pollux.finetune.train;

/** The logistic function. */
final class Sigmoid {

    private Sigmoid() {}

    /** σ(x). */
    static double of(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
    }

    /** log σ(x). */
    static double log(double x) {
        return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
    }

    /** σ′(x) = σ(x) σ(−x). */
    static double slope(double x) {
        return of(x) * of(-x);
    }
}
