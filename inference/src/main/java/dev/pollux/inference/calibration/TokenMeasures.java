package dev.pollux.inference.calibration;

import dev.pollux.inference.calibration.ModelComparison.Interval;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** What two models predict at each position, and means over positions. <em>Confined to one thread.</em> */
final class TokenMeasures {

    private static final int BLOCK = 32;

    private final double[] nllA;
    private final double[] nllB;
    private final double[] divergence;
    private int predicted;
    private int count;
    private int agreeing;

    TokenMeasures(int mostTokens) {
        nllA = new double[mostTokens];
        nllB = new double[mostTokens];
        divergence = new double[mostTokens];
    }

    /**
     * Adds a position whose next token is not known: it has a divergence, but no likelihood.
     *
     * @param a (vocabulary), logits of the first model
     * @param b (vocabulary), logits of the second model
     */
    void add(FloatBuffer a, FloatBuffer b) {
        logSums(a, b);
    }

    /**
     * Adds a position.
     *
     * @param a (vocabulary), logits of the first model
     * @param b (vocabulary), logits of the second model
     * @param id the token that follows
     */
    void add(FloatBuffer a, FloatBuffer b, int id) {
        double[] logSums = logSums(a, b);
        nllA[predicted] = logSums[0] - a.get(id);
        nllB[predicted] = logSums[1] - b.get(id);
        predicted++;
    }

    /** Adds the divergence of a position; log Σ exp of both. */
    private double[] logSums(FloatBuffer a, FloatBuffer b) {
        int bestA = 0;
        int bestB = 0;
        for (int i = 1; i < a.limit(); i++) {
            bestA = a.get(i) > a.get(bestA) ? i : bestA;
            bestB = b.get(i) > b.get(bestB) ? i : bestB;
        }
        float mostA = a.get(bestA);
        float mostB = b.get(bestB);
        double sumA = 0;
        double sumB = 0;
        double difference = 0; // Σ exp(a − mostA) · (a − b)
        for (int i = 0; i < a.limit(); i++) {
            double weight = Math.exp(a.get(i) - mostA);
            sumA += weight;
            sumB += Math.exp(b.get(i) - mostB);
            difference += weight * ((double) a.get(i) - b.get(i));
        }
        double logA = mostA + Math.log(sumA);
        double logB = mostB + Math.log(sumB);
        divergence[count] = Math.max(0, difference / sumA - logA + logB);
        agreeing += bestA == bestB ? 1 : 0;
        count++;
        return new double[] {logA, logB};
    }

    /** Positions whose next token is known. */
    int predicted() {
        return predicted;
    }

    double perplexityA() {
        return Math.exp(mean(nllA));
    }

    double perplexityB() {
        return Math.exp(mean(nllB));
    }

    double agreement() {
        return (double) agreeing / count;
    }

    Interval perplexityRatio() {
        double[] difference = new double[predicted];
        Arrays.setAll(difference, i -> nllB[i] - nllA[i]);
        return interval(difference, Math::exp);
    }

    Interval kl() {
        return interval(Arrays.copyOf(divergence, count), x -> x);
    }

    /** A quantile of the divergence, linear between the two nearest positions. */
    double klPercentile(double share) {
        double[] sorted = Arrays.copyOf(divergence, count);
        Arrays.sort(sorted);
        double at = share * (count - 1);
        int below = (int) at;
        int above = Math.min(below + 1, count - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }

    private double mean(double[] values) {
        double sum = 0;
        for (int i = 0; i < predicted; i++) {
            sum += values[i];
        }
        return sum / predicted;
    }

    private static Interval interval(double[] values, DoubleUnaryOperator scale) {
        return BlockBootstrap.interval(values, BLOCK, scale);
    }
}
