package dev.pollux.internal.math;

/*
 * Loops that C2 makes vector instructions of on Java 17: all arrays are indexed by the loop's variable alone (with an offset
 * in some of them C2 must assume that they overlap), one type, no branches, no bits, and no Math.max, which is only compiled
 * so if its past calls were unpredictable. What a branch would decide is a product with a sign. The sign of x is y/(|y| +
 * TINY) with y = 2^60·x: exactly -1, 0 or 1 for every float whose magnitude is below 2^68. TINY is no denormal number: with
 * those a processor calculates many times slower.
 */
/** {@link Kernels} without more than Java 17 has. */
public final class ScalarKernels implements Kernels {

    public static final ScalarKernels INSTANCE = new ScalarKernels();

    private static final float UP = 0x1p60f;
    private static final float TINY = 0x1p-120f;

    private ScalarKernels() {}

    @Override
    public void decode(short[] from, int count, float[] into, int at) {
        if (at == 0) {
            decode(from, count, into);
            return;
        }
        for (int j = 0; j < count; j++) {
            into[at + j] = Float.intBitsToFloat(from[j] << 16);
        }
    }

    private static void decode(short[] from, int count, float[] into) {
        for (int j = 0; j < count; j++) {
            into[j] = Float.intBitsToFloat(from[j] << 16);
        }
    }

    /** NaNs are rare, so they are only looked for here, and rounded when there is one. */
    @Override
    public void encode(float[] values, int at, int count, short[] into) {
        for (int j = 0; j < count; j++) {
            int bits = Float.floatToRawIntBits(values[at + j]);
            into[j] = (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
        }
        if (Float.isNaN(zeroOrNaN(values, at, count))) {
            for (int j = 0; j < count; j++) {
                into[j] = Float16.toBfloat16(values[at + j]);
            }
        }
    }

    /** NaN if there is a NaN or an infinity, in four sums so that additions need not wait for one another. */
    private static float zeroOrNaN(float[] x, int at, int count) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int end = at + count;
        int i = at;
        for (; i < end - 3; i += 4) {
            s0 += 0 * x[i];
            s1 += 0 * x[i + 1];
            s2 += 0 * x[i + 2];
            s3 += 0 * x[i + 3];
        }
        for (; i < end; i++) {
            s0 += 0 * x[i];
        }
        return s0 + s1 + (s2 + s3);
    }

    @Override
    public void scale(float[] x, float c, float[] into, int from, int to) {
        for (int j = from; j < to; j++) {
            into[j] = c * x[j];
        }
    }

    @Override
    public void add(float[] x, float c, float[] into, int from, int to) {
        for (int j = from; j < to; j++) {
            into[j] += c * x[j];
        }
    }

    @Override
    public void addTo(float[] x, float c, float[] d, float[] into, int from, int to) {
        for (int j = from; j < to; j++) {
            into[j] = x[j] + c * d[j];
        }
    }

    @Override
    public void subtract(float[] a, float[] b, float[] into, int from, int to) {
        for (int j = from; j < to; j++) {
            into[j] = a[j] - b[j];
        }
    }

    @Override
    public double dot(float[] a, float[] b, int from, int to) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        double s4 = 0;
        double s5 = 0;
        double s6 = 0;
        double s7 = 0;
        int i = from;
        for (; i < to - 7; i += 8) {
            s0 += (double) a[i] * b[i];
            s1 += (double) a[i + 1] * b[i + 1];
            s2 += (double) a[i + 2] * b[i + 2];
            s3 += (double) a[i + 3] * b[i + 3];
            s4 += (double) a[i + 4] * b[i + 4];
            s5 += (double) a[i + 5] * b[i + 5];
            s6 += (double) a[i + 6] * b[i + 6];
            s7 += (double) a[i + 7] * b[i + 7];
        }
        double rest = 0;
        for (; i < to; i++) {
            rest += (double) a[i] * b[i];
        }
        return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7)) + rest;
    }

    @Override
    public double magnitude(float[] x, int from, int to) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        double s4 = 0;
        double s5 = 0;
        double s6 = 0;
        double s7 = 0;
        int i = from;
        for (; i < to - 7; i += 8) {
            s0 += Math.abs(x[i]);
            s1 += Math.abs(x[i + 1]);
            s2 += Math.abs(x[i + 2]);
            s3 += Math.abs(x[i + 3]);
            s4 += Math.abs(x[i + 4]);
            s5 += Math.abs(x[i + 5]);
            s6 += Math.abs(x[i + 6]);
            s7 += Math.abs(x[i + 7]);
        }
        double rest = 0;
        for (; i < to; i++) {
            rest += Math.abs(x[i]);
        }
        return ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7)) + rest;
    }

    @Override
    public int equal(float[] x, float value, float[] some, int from, int to) {
        for (int j = from; j < to; j++) {
            float y = UP * (Math.abs(x[j]) - value);
            some[j] = Math.abs(y) / (Math.abs(y) + TINY);
        }
        return to - from - (int) sum(some, from, to);
    }

    /** Of whole numbers that are small. */
    private static float sum(float[] x, int from, int to) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int i = from;
        for (; i < to - 3; i += 4) {
            s0 += x[i];
            s1 += x[i + 1];
            s2 += x[i + 2];
            s3 += x[i + 3];
        }
        for (; i < to; i++) {
            s0 += x[i];
        }
        return s0 + s1 + (s2 + s3);
    }

    @Override
    public long find(float[] x, int least, int width, int[] found, int from, int to) {
        int n = 0;
        int below = 0;
        for (int j = from; j < to; j++) {
            int above = (Float.floatToRawIntBits(x[j]) & 0x7fffffff) - least;
            below += above >>> 31;
            if (Integer.compareUnsigned(above, width) < 0) { // rarely, which beats writing always
                found[n++] = above;
            }
        }
        return (long) below << 32 | n;
    }

    @Override
    public int nonZero(float[] x, int from, int to) {
        int nonZero = 0;
        for (int j = from; j < to; j++) {
            nonZero += -(Float.floatToRawIntBits(x[j]) & 0x7fffffff) >>> 31;
        }
        return nonZero;
    }

    @Override
    public void prune(float[] x, float limit, int from, int to) {
        for (int j = from; j < to; j++) {
            float y = UP * (Math.abs(x[j]) - limit);
            float sign = y / (Math.abs(y) + TINY);
            x[j] *= 0.5f * (Math.abs(sign) + sign);
        }
    }

    @Override
    public void prune(float[] x, Draw draw, long[] some, int from, int to) {
        long key = draw.key();
        long first = draw.first();
        long limit = draw.limit();
        for (int j = from; j < to; j++) {
            int kept = (int) (CounterRandom.bits(key, first + j) - limit >> 63);
            x[j] = Float.intBitsToFloat(Float.floatToRawIntBits(x[j]) & kept);
        }
    }

    @Override
    public void vote(float[] x, float c, float[] sum, float[] size, int from, int to) {
        for (int j = from; j < to; j++) {
            float d = c * x[j];
            sum[j] += d;
            size[j] += Math.abs(d);
        }
    }

    @Override
    public void vote(float[] x, float c, float w, SignVotes votes, int from, int to) {
        float[] sum = votes.sum();
        float[] size = votes.size();
        float[] weightSum = votes.weightSum();
        float[] weightSize = votes.weightSize();
        for (int j = from; j < to; j++) {
            float d = c * x[j];
            sum[j] += d;
            size[j] += Math.abs(d);
            float y = UP * d;
            float sign = y / (Math.abs(y) + TINY);
            weightSum[j] += w * sign;
            weightSize[j] += w * Math.abs(sign);
        }
    }

    @Override
    public void elect(float[] sum, float[] size, int from, int to) {
        for (int j = from; j < to; j++) {
            float y = UP * sum[j];
            float sign = y / (Math.abs(y) + TINY);
            float majority = sign + (1 - Math.abs(sign));
            sum[j] = 0.5f * (sum[j] + majority * size[j]);
        }
    }

    @Override
    public void electMean(SignVotes votes, int from, int to) {
        float[] sum = votes.sum();
        float[] size = votes.size();
        float[] weightSum = votes.weightSum();
        float[] weightSize = votes.weightSize();
        for (int j = from; j < to; j++) {
            float y = UP * sum[j];
            float sign = y / (Math.abs(y) + TINY);
            float majority = sign + (1 - Math.abs(sign));
            float share = 0.5f * (weightSize[j] + majority * weightSum[j]);
            float z = UP * share;
            float some = Math.abs(z) / (Math.abs(z) + TINY);
            sum[j] = 0.5f * (sum[j] + majority * size[j]) / (share + (1 - some));
        }
    }

    @Override
    public void conflicts(float[] weightSum, float[] weightSize, float[] conflicts, int from, int to) {
        for (int j = from; j < to; j++) {
            float y = UP * (weightSize[j] - Math.abs(weightSum[j]));
            conflicts[j] += y / (y + TINY);
        }
    }
}
