package dev.pollux.inference.quantize.int8;

/** The sum of 32-bit floats in the order in which numpy adds them, so that the last bits agree. */
final class PairwiseSum {

    /*
     * Halves of a long array are summed apart (the first half's length a multiple of 8). An array of up to 128 values has eight sums, of
     * every eighth value each, which are added in pairs; the values that are left over follow one by one.
     */

    private static final int BLOCK = 128;
    private static final int LANES = 8;

    private PairwiseSum() {}

    static float of(float[] values) {
        return of(values, 0, values.length);
    }

    private static float of(float[] values, int from, int count) {
        if (count < LANES) {
            float sum = 0;
            for (int i = 0; i < count; i++) {
                sum += values[from + i];
            }
            return sum;
        }
        if (count > BLOCK) {
            int half = count / 2;
            half -= half % LANES;
            return of(values, from, half) + of(values, from + half, count - half);
        }
        float[] lanes = new float[LANES];
        System.arraycopy(values, from, lanes, 0, LANES);
        int whole = count - count % LANES;
        for (int i = LANES; i < whole; i++) {
            lanes[i % LANES] += values[from + i];
        }
        float sum = lanes[0] + lanes[1] + (lanes[2] + lanes[3]) + (lanes[4] + lanes[5] + (lanes[6] + lanes[7]));
        for (int i = whole; i < count; i++) {
            sum += values[from + i];
        }
        return sum;
    }
}
