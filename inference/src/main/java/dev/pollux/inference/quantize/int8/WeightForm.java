package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.quantize.int8.IntegerFormat.Type;

/**
 * How weights become 8-bit integers. <em>Immutable.</em>
 *
 * @param type int8 is symmetric about 0, uint8 is not
 * @param perChannel whether each output channel of a matrix has its own scale
 * @param reduced whether codes use 7 of 8 bits; only for processors whose 8-bit products saturate
 */
record WeightForm(Type type, boolean perChannel, boolean reduced) {

    /** int8, a scale for each channel, all bits. */
    static final WeightForm DEFAULT = new WeightForm(Type.INT8, true, false);
}
