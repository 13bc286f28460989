package dev.pollux.inference.quantize.int8;

/**
 * The grid of 8-bit codes: x ≈ scale · (code − zero). <em>Immutable.</em>
 *
 * @param scale positive
 * @param zero the code of 0, within the range of the type
 */
record LinearScale(float scale, int zero) {

    /** The grid of a range that contains only 0. */
    static final LinearScale UNIT = new LinearScale(1, 0);

    /**
     * The code of a value: round half to even of x / scale in 32-bit floats, plus zero, limited to the range of the type.
     *
     * @param format its type gives the limits; a reduced range is not a limit
     */
    int code(float x, IntegerFormat format) {
        double code = Math.rint(x / scale) + zero;
        return (int) Math.max(format.type().least(), Math.min(format.type().most(), code));
    }

    /** The value of a code. */
    float value(int code) {
        return scale * (code - zero);
    }
}
