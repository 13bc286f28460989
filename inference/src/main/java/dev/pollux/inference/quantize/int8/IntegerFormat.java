package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.ElementType;

/**
 * How a range of floats is mapped to 8-bit codes, as ONNX Runtime's quantizer does. <em>Immutable.</em>
 *
 * @param type the type of the codes
 * @param symmetric whether the grid is symmetric about 0
 * @param reduced whether codes use 7 of 8 bits, for processors whose 8-bit products saturate (AVX2 and AVX-512 without VNNI)
 */
record IntegerFormat(Type type, boolean symmetric, boolean reduced) {

    /*
     * With lo and hi the lowest and highest code, and a range [min, max] that is widened to contain 0:
     *
     *   scale = (max − min) / (hi − lo)          zero = round half to even(lo − min / scale)
     *
     * A symmetric range is widened to [−m, m], m = max(|min|, |max|); then zero = round half to even((lo + hi) / 2).
     * max − min is rounded to a 32-bit float, everything else is computed in 64 bits. The codes are
     *
     *   int8    −128 … 127      symmetric −127 … 127      reduced −64 … 64
     *   uint8      0 … 255      symmetric    0 … 255      reduced   0 … 127
     */

    /** The type of codes. */
    enum Type {
        INT8(ElementType.INT8, -128, 127),
        UINT8(ElementType.UINT8, 0, 255);

        private final ElementType element;
        private final int least;
        private final int most;

        Type(ElementType element, int least, int most) {
            this.element = element;
            this.least = least;
            this.most = most;
        }

        ElementType element() {
            return element;
        }

        int least() {
            return least;
        }

        int most() {
            return most;
        }
    }

    /** The lowest code of a grid. */
    int low() {
        if (type == Type.UINT8) {
            return 0;
        }
        return reduced ? -64 : symmetric ? -127 : -128;
    }

    /** The highest code of a grid. */
    int high() {
        if (type == Type.UINT8) {
            return reduced ? 127 : 255;
        }
        return reduced ? 64 : 127;
    }

    /** The grid of the floats in [min, max]. */
    LinearScale fit(float min, float max) {
        float from = Math.min(min, 0);
        float to = Math.max(max, 0);
        if (symmetric) {
            to = Math.max(-from, to);
            from = -to;
        }
        float range = to - from;
        double scale = (double) range / (high() - low());
        if (scale < Float.MIN_NORMAL) {
            return LinearScale.UNIT;
        }
        double zero = symmetric ? (low() + high()) / 2.0 : low() - from / scale;
        return new LinearScale((float) scale, (int) Math.rint(zero));
    }
}
