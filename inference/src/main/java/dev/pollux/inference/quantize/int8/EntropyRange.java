package dev.pollux.inference.quantize.int8;

import java.util.Arrays;

/** The range whose quantized distribution loses the least information. */
final class EntropyRange {

    /*
     * Szymon Migacz, "8-bit Inference with TensorRT", GTC 2017, as ONNX Runtime computes it. Each candidate is a slice of i bins on both
     * sides of the centre:
     *
     *   p = the slice, with all counts outside it added to its first and last bin
     *   q = the slice, merged into LEVELS groups of equal length (the last group takes the rest of the counts), and each group's count
     *       spread over its bins: count / (number of bins with p ≠ 0), truncated to an integer, bins after the last group stay 0
     *
     * Both are smoothed: zeros become ε, and ε · (number of zeros) is taken from the other bins in equal parts. The candidate with the
     * least KL(p ‖ q) wins, the narrowest first. Prefix sums make the cost of a candidate its length, in place of the histogram's.
     * Two candidates can be so close that the last bits decide, so the sums are those of numpy, in 32-bit floats.
     */

    /** The number of groups, and of bins of a new histogram. */
    static final int LEVELS = 128;

    private static final double EPSILON = 1e-4;

    private final long[] counts;
    private final long[] before; // (bins + 1), the sum of the counts before a bin

    private EntropyRange(long[] counts) {
        this.counts = counts;
        this.before = new long[counts.length + 1];
        for (int i = 0; i < counts.length; i++) {
            before[i + 1] = before[i] + counts[i];
        }
    }

    /** The best range of a histogram of at least {@link #LEVELS} bins. */
    static ValueRange of(SignedHistogram histogram) {
        EntropyRange search = new EntropyRange(histogram.counts());
        int centre = histogram.counts().length / 2;
        double least = Double.POSITIVE_INFINITY;
        int best = LEVELS / 2;
        for (int half = LEVELS / 2; half <= centre; half++) {
            double divergence = search.divergence(centre - half, search.end(centre, half));
            if (divergence < least) {
                least = divergence;
                best = half;
            }
        }
        float[] edges = histogram.edges();
        return PercentileRange.within(histogram, edges[centre - best], edges[search.end(centre, best)]);
    }

    private int end(int centre, int half) {
        return Math.min(centre + half + 1, counts.length);
    }

    private double divergence(int start, int end) {
        long[] p = Arrays.copyOfRange(counts, start, end);
        p[0] += before[start];
        p[p.length - 1] += before[counts.length] - before[end];
        long[] q = spread(p, start, end);
        float[] smoothP = smooth(p);
        float[] smoothQ = smooth(q);
        return smoothP.length == 0 || smoothQ.length == 0 ? Double.POSITIVE_INFINITY : divergence(smoothP, smoothQ);
    }

    private long[] spread(long[] p, int start, int end) {
        long[] q = new long[p.length];
        int length = p.length / LEVELS;
        for (int group = 0; group < LEVELS; group++) {
            int from = group * length;
            int to = from + length;
            long count = before[group == LEVELS - 1 ? end : start + to] - before[start + from];
            long filled = 0;
            for (int i = from; i < to; i++) {
                filled += p[i] != 0 ? 1 : 0;
            }
            if (filled > 0) {
                Arrays.fill(q, from, to, count / filled);
            }
        }
        return q;
    }

    /** Empty if all counts are 0. */
    private static float[] smooth(long[] counts) {
        long zeros = Arrays.stream(counts).filter(count -> count == 0).count();
        long others = counts.length - zeros;
        if (others == 0) {
            return new float[0];
        }
        float taken = (float) (EPSILON * zeros / others);
        float[] smooth = new float[counts.length];
        for (int i = 0; i < smooth.length; i++) {
            smooth[i] = counts[i] == 0 ? (float) EPSILON : counts[i] - taken;
        }
        return smooth;
    }

    /** KL(p ‖ q) of two arrays of positive numbers, each divided by its sum. */
    private static float divergence(float[] p, float[] q) {
        float sumP = PairwiseSum.of(p);
        float sumQ = PairwiseSum.of(q);
        float[] terms = new float[p.length];
        for (int i = 0; i < p.length; i++) {
            float shareP = p[i] / sumP;
            terms[i] = shareP * (float) Math.log(shareP / (q[i] / sumQ));
        }
        return PairwiseSum.of(terms);
    }
}
