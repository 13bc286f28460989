package dev.pollux.inference.quantize.int8;

import dev.pollux.quantization.QuantizationRecipe;

/**
 * How the range of an activation follows from its values over the calibration inputs. <em>Immutable.</em>
 *
 * @param percent the share of the values that the range of {@link Kind#PERCENTILE} contains, in (0, 100]
 * @param magnitudes whether that share is one of |x|, and the range symmetric before it is limited to the values
 * @param onePass whether the histogram grows from input to input, so that the model runs once over the inputs; otherwise it
 *     runs twice, and the result does not depend on the order of the inputs
 */
record RangeMethod(Kind kind, double percent, boolean magnitudes, boolean onePass) {

    /** The extremes of all values. */
    static final RangeMethod MIN_MAX = new RangeMethod(Kind.MIN_MAX, 100, false, true);

    /** 99.999 % of the magnitudes, as ONNX Runtime's quantizer has it. */
    static final RangeMethod PERCENTILE = new RangeMethod(Kind.PERCENTILE, 99.999, true, false);

    /** The least loss of information. */
    static final RangeMethod ENTROPY = new RangeMethod(Kind.ENTROPY, 100, false, false);

    /** A moving average of the extremes of the inputs: m + .01 · (new − m). */
    static final RangeMethod MOVING_AVERAGE = new RangeMethod(Kind.MOVING_AVERAGE, 100, false, true);

    /** The rule. */
    enum Kind {
        MIN_MAX,
        MOVING_AVERAGE,
        PERCENTILE,
        ENTROPY
    }

    /** The method of a recipe. */
    static RangeMethod of(QuantizationRecipe.Range range) {
        return switch (range) {
            case MIN_MAX -> MIN_MAX;
            case MOVING_AVERAGE -> MOVING_AVERAGE;
            case PERCENTILE -> PERCENTILE;
            case ENTROPY -> ENTROPY;
        };
    }

    RangeMethod {
        if (!(percent > 0 && percent <= 100)) {
            throw new IllegalArgumentException("percent must be in (0, 100] but was " + percent);
        }
    }
}
