package dev.pollux.internal.math;

/** {@link DotKernels} without the Vector API. */
final class ScalarDotKernels implements DotKernels {

    static final ScalarDotKernels INSTANCE = new ScalarDotKernels();

    private ScalarDotKernels() {}

    @Override
    public void dots(float[] query, float[] rows, int at, int count, float[] into) {
        for (int row = 0; row < count; row++) {
            into[row] = dot(query, rows, at + row * query.length);
        }
    }

    // Sixteen sums that do not wait for each other keep the multipliers busy; Java adds floats strictly in order, so
    // that a
    // single sum would be bound by the latency of one addition.
    private static float dot(float[] a, float[] b, int offset) { // a: (n), b: (rows * n)
        int n = a.length;
        int blocks = n & -LANES;
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        float s8 = 0;
        float s9 = 0;
        float s10 = 0;
        float s11 = 0;
        float s12 = 0;
        float s13 = 0;
        float s14 = 0;
        float s15 = 0;
        for (int i = 0, j = offset; i < blocks; i += LANES, j += LANES) {
            s0 += a[i] * b[j];
            s1 += a[i + 1] * b[j + 1];
            s2 += a[i + 2] * b[j + 2];
            s3 += a[i + 3] * b[j + 3];
            s4 += a[i + 4] * b[j + 4];
            s5 += a[i + 5] * b[j + 5];
            s6 += a[i + 6] * b[j + 6];
            s7 += a[i + 7] * b[j + 7];
            s8 += a[i + 8] * b[j + 8];
            s9 += a[i + 9] * b[j + 9];
            s10 += a[i + 10] * b[j + 10];
            s11 += a[i + 11] * b[j + 11];
            s12 += a[i + 12] * b[j + 12];
            s13 += a[i + 13] * b[j + 13];
            s14 += a[i + 14] * b[j + 14];
            s15 += a[i + 15] * b[j + 15];
        }
        float even = (s0 + s8 + (s4 + s12)) + (s2 + s10 + (s6 + s14));
        float odd = (s1 + s9 + (s5 + s13)) + (s3 + s11 + (s7 + s15));
        float sum = even + odd;
        for (int i = blocks; i < n; i++) {
            sum += a[i] * b[offset + i];
        }
        return sum;
    }

    @Override
    public void dots(short[] query, byte[] rows, int at, int count, int[] into) {
        int n = query.length;
        for (int row = 0; row < count; row++) {
            int offset = at + row * n;
            int s0 = 0;
            int s1 = 0;
            int s2 = 0;
            int s3 = 0;
            int i = 0;
            for (; i < n - 3; i += 4) {
                s0 += query[i] * rows[offset + i];
                s1 += query[i + 1] * rows[offset + i + 1];
                s2 += query[i + 2] * rows[offset + i + 2];
                s3 += query[i + 3] * rows[offset + i + 3];
            }
            for (; i < n; i++) {
                s0 += query[i] * rows[offset + i];
            }
            into[row] = s0 + s1 + (s2 + s3);
        }
    }
}
