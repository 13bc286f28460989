package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.quantize.int8.IntegerFormat.Type;

/**
 * How calibrated activations become 8-bit integers. <em>Immutable.</em>
 *
 * @param symmetric whether the range is symmetric about 0
 */
record ActivationForm(Type type, boolean symmetric) {

    /** uint8 with zero points. */
    static final ActivationForm DEFAULT = new ActivationForm(Type.UINT8, false);
}
