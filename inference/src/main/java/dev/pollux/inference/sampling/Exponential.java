package dev.pollux.inference.sampling;

/** The exponential function for arguments of at most 0, with the same bits on every machine. */
final class Exponential {

    /*
     * exp(-x) = 2^(n / 1024) · exp(r) with n = round(-x · 1024 / ln 2) and |r| ≤ ln 2 / 2048. The first factor is a power of
     * two times an entry of a table, the second the quadratic 1 + r + r²/2, whose error is below r³/6 = 7e-12. Math.exp is an
     * intrinsic, which may differ in the last bit from machine to machine, and takes four times as long.
     */

    private static final int BITS = 10;
    private static final int SIZE = 1 << BITS;
    private static final double STEP = StrictMath.log(2) / SIZE;
    private static final double STEPS = 1 / STEP;
    private static final double[] TABLE = new double[SIZE]; // 2^(i / 1024)

    /** Beyond it, the result is 0; it is 1e-304 there. */
    private static final double LARGEST = 700;

    static {
        for (int i = 0; i < SIZE; i++) {
            TABLE[i] = StrictMath.exp(i * STEP);
        }
    }

    private Exponential() {}

    /**
     * exp(-x), with a relative error below 1e-11.
     *
     * @param x at least 0
     */
    static double ofMinus(double x) {
        if (x > LARGEST) {
            return 0;
        }
        int n = -(int) (x * STEPS + 0.5);
        double r = -x - n * STEP;
        double power = Double.longBitsToDouble((long) (Double.MAX_EXPONENT + (n >> BITS)) << 52);
        return power * TABLE[n & (SIZE - 1)] * (1 + r * (1 + r * 0.5));
    }
}
