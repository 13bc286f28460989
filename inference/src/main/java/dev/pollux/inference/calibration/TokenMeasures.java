package dev.pollux.inference.calibration;

import dev.pollux.inference.calibration.ModelComparison.Interval;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** What two models predict for each token, and means over the tokens. <em>Confined to one thread.</em> */
final class TokenMeasures {

    private static final int BLOCK = 32;

    private final double[] nllA;
    private final double[] nllB;
    private final double[] divergence;
    private int count;
    private int agreeing;

    TokenMeasures(int mostTokens) {
        nllA = new double[mostTokens];
        nllB = new double[mostTokens];
        divergence = new double[mostTokens];
    }

    /**
     * Adds a token.
     *
     * @param a (vocabulary), logits of the first model
     * @param b (vocabulary), logits of the second model
     * @param id the token that follows
     */
    void add(FloatBuffer a, FloatBuffer b, int id) {
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
        nllA[count] = logA - a.get(id);
        nllB[count] = logB - b.get(id);
        divergence[count] = Math.max(0, difference / sumA - logA + logB);
        agreeing += bestA == bestB ? 1 : 0;
        count++;
    }

    int count() {
        return count;
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
        double[] difference = new double[count];
        Arrays.setAll(difference, i -> nllB[i] - nllA[i]);
        return interval(difference, Math::exp);
    }

    Interval kl() {
        return interval(divergence, x -> x);
    }

    double klPercentile(double share) {
        double[] sorted = Arrays.copyOf(divergence, count);
        Arrays.sort(sorted);
        return sorted[(int) Math.min(count - 1L, (long) Math.ceil(share * count) - 1)];
    }

    private double mean(double[] values) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += values[i];
        }
        return sum / count;
    }

    private Interval interval(double[] values, DoubleUnaryOperator scale) {
        return BlockBootstrap.interval(Arrays.copyOf(values, count), BLOCK, scale);
    }
}
