package dev.pollux.inference.quantize.int8;

import java.util.Arrays;

/** The range that contains a given percentage of the values of a histogram. */
final class PercentileRange {

    /*
     * With the cumulative share c_i of the bins, the bound is the left edge of the first bin with c_i ≥ p. On magnitudes the range is
     * [−edge, edge]; on signed values half of the rest is cut off on each side. The range never exceeds the observed values.
     */

    private PercentileRange() {}

    /** The range [−e, e] that contains {@code percent} percent of the magnitudes. */
    static ValueRange of(MagnitudeHistogram histogram, double percent) {
        float edge = histogram.edges()[search(cumulative(histogram), percent / 100)];
        return within(histogram, -edge, edge);
    }

    /** The range that contains {@code percent} percent of the values. */
    static ValueRange of(SignedHistogram histogram, double percent) {
        double[] cumulative = cumulative(histogram);
        double cut = (100 - percent) / 200;
        float[] edges = histogram.edges();
        return within(histogram, edges[search(cumulative, cut)], edges[search(cumulative, 1 - cut)]);
    }

    private static double[] cumulative(Histogram histogram) {
        long[] counts = histogram.counts();
        double total = Arrays.stream(counts).sum();
        double[] cumulative = new double[counts.length];
        double sum = 0;
        for (int i = 0; i < counts.length; i++) {
            sum += counts[i] / total;
            cumulative[i] = sum;
        }
        return cumulative;
    }

    /** The first index whose value is at least {@code wanted}. */
    private static int search(double[] cumulative, double wanted) {
        int index = 0;
        while (index < cumulative.length && cumulative[index] < wanted) {
            index++;
        }
        return index;
    }

    static ValueRange within(Histogram histogram, float low, float high) {
        return new ValueRange(
                Math.max(low, histogram.observed().low()),
                Math.min(high, histogram.observed().high()));
    }
}
