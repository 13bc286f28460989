package dev.pollux.merge;

/*
 * Loops so simple that a compiler makes vector instructions of each on Java 17: one type, no branches, no bits, and no
 * Math.max, which is only compiled so if its past calls were unpredictable. What a branch would decide is a product with a
 * sign: x / (|x| + TINY) is -1, 0 or 1 but for x below 1e-28, which no weight shows; and |x| + x is 2x or 0. TINY is no
 * denormal number: with those a processor calculates many times slower.
 */
/** Calculations on blocks of elements in 32-bit floats. */
final class Lanes {

    private static final float TINY = 1e-36f;

    private Lanes() {}

    /** into = c·x. */
    static void scale(float[] x, int at, float c, float[] into, int to, int count) {
        for (int j = 0; j < count; j++) {
            into[to + j] = c * x[at + j];
        }
    }

    /** into += c·x. */
    static void add(float[] x, int at, float c, float[] into, int to, int count) {
        for (int j = 0; j < count; j++) {
            into[to + j] += c * x[at + j];
        }
    }

    /** into = a − b. */
    static void subtract(float[] a, float[] b, int at, float[] into, int count) {
        for (int j = 0; j < count; j++) {
            into[j] = a[at + j] - b[at + j];
        }
    }

    /** sums += a·b, lane by lane. */
    static void multiply(float[] a, int atA, float[] b, int atB, float[] sums, int count) {
        for (int j = 0; j < count; j++) {
            sums[j] += a[atA + j] * b[atB + j];
        }
    }

    /** positive += 2·max(c·x, 0) and negative += 2·max(−c·x, 0). */
    static void split(float[] x, int at, float c, float[] positive, float[] negative, int count) {
        for (int j = 0; j < count; j++) {
            float d = c * x[at + j];
            positive[j] += Math.abs(d) + d;
            negative[j] += Math.abs(d) - d;
        }
    }

    /** positive += 2w where c·x &gt; 0, negative += 2w where c·x &lt; 0. */
    static void share(float[] x, int at, float c, float w, float[] positive, float[] negative, int count) {
        for (int j = 0; j < count; j++) {
            float d = c * x[at + j];
            float sign = d / (Math.abs(d) + TINY);
            positive[j] += w * (Math.abs(sign) + sign);
            negative[j] += w * (Math.abs(sign) - sign);
        }
    }

    /** positive = half of positive where it is at least negative, elsewhere −half of negative. */
    static void elect(float[] positive, float[] negative, int count) {
        for (int j = 0; j < count; j++) {
            float d = positive[j] - negative[j];
            float sign = d / (Math.abs(d) + TINY);
            float minus = Math.abs(sign) - sign;
            positive[j] = 0.25f * ((2f - minus) * positive[j] - minus * negative[j]);
        }
    }

    /** As {@link #elect}, divided by half of what was added up for the same sign; by 1 where that is 0. */
    static void electMean(float[] positive, float[] negative, float[] positiveShare, float[] negativeShare, int count) {
        for (int j = 0; j < count; j++) {
            float d = positive[j] - negative[j];
            float sign = d / (Math.abs(d) + TINY);
            float minus = Math.abs(sign) - sign;
            float share = (2f - minus) * positiveShare[j] + minus * negativeShare[j];
            float some = Math.abs(share) / (Math.abs(share) + TINY);
            float sum = (2f - minus) * positive[j] - minus * negative[j];
            positive[j] = (0.25f * (1f - some) + some) * sum / (share + (1f - some));
        }
    }

    /** counts += 1 where both are above 0; both count twos. */
    static void countBoth(float[] positive, float[] negative, float[] counts, int count) {
        for (int j = 0; j < count; j++) {
            float both = positive[j] * negative[j];
            counts[j] += both / (both + TINY);
        }
    }

    /** into = x + c·d. */
    static void addTo(float[] x, int at, float c, float[] d, float[] into, int to, int count) {
        for (int j = 0; j < count; j++) {
            into[to + j] = x[at + j] + c * d[j];
        }
    }
}
