package dev.pollux.internal.math;

/**
 * The 8-bit floats of the OCP specifications (OCP 8-bit floating point 1.0, Microscaling 1.0).
 *
 * <p><em>Thread-safe.</em>
 */
public final class Float8 {

    private Float8() {}

    /** Sign, 4 bits of exponent with bias 7, 3 of fraction; no infinities, all bits set is NaN. */
    public static float e4m3(byte bits) {
        int exponent = bits >> 3 & 15;
        int fraction = bits & 7;
        if ((bits & 0x7f) == 0x7f) {
            return Float.NaN;
        }
        float value =
                exponent == 0 ? fraction * 0x1p-9f : Float.intBitsToFloat(exponent - 7 + 127 << 23 | fraction << 20);
        return bits < 0 ? -value : value;
    }

    /** The upper half of a 16-bit float. */
    public static float e5m2(byte bits) {
        return Float16.toFloat((short) (bits << 8));
    }

    /** A power of two, 2^(bits − 127); all bits set is NaN. */
    public static float e8m0(byte bits) {
        int exponent = bits & 0xff;
        if (exponent == 0xff) {
            return Float.NaN;
        }
        return Float.intBitsToFloat(exponent == 0 ? 0x00400000 : exponent << 23);
    }
}
