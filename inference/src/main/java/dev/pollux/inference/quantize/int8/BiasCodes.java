package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;

/** A bias as 32-bit integers with the scale of a product: bias / (s_x · s_W), rounded half to even. <em>Immutable.</em> */
final class BiasCodes {

    private final Weight bias;
    private final int[] codes;
    private final float[] scales; // (channels), or one

    private BiasCodes(Weight bias, int[] codes, float[] scales) {
        this.bias = bias;
        this.codes = codes;
        this.scales = scales;
    }

    /**
     * The codes of a bias.
     *
     * @param weight the scales of the weight, one or as many as the bias has values
     */
    static BiasCodes of(Weight bias, float input, float[] weight) {
        float[] values = floats(bias);
        float[] scales = new float[weight.length];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = input * weight[i];
        }
        int[] codes = new int[values.length];
        for (int i = 0; i < codes.length; i++) {
            double code = Math.rint(values[i] / (double) scales[scales.length == 1 ? 0 : i]);
            codes[i] = (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, code));
        }
        return new BiasCodes(bias, codes, scales);
    }

    /**
     * The weight with scales large enough for the bias to fit into 32 bits: s_x · s_W ≥ 1.0001 · 2 · |bias| / (2³² − 2).
     */
    static IntegerWeight fitting(Weight bias, IntegerWeight weight, float input) {
        float[] values = floats(bias);
        float[] scales = weight.scales();
        boolean perChannel = weight.axis().isPresent();
        double most = 0;
        for (float value : values) {
            most = Math.max(most, Math.abs((double) value));
        }
        IntegerWeight fitting = weight;
        for (int i = 0; i < scales.length; i++) {
            double magnitude = perChannel ? Math.abs((double) values[i]) : most;
            double least = 1.0001 * (2 * magnitude) / (Integer.MAX_VALUE - (Integer.MIN_VALUE + 1.0));
            double scale = (double) input * scales[i];
            if (scale < least && scale > 0) {
                fitting = fitting.withScale(i, (float) (scales[i] * (least / scale)));
            }
        }
        return fitting;
    }

    private static float[] floats(Weight bias) {
        float[] all = new float[Math.toIntExact(bias.elements())];
        FloatPieces.read(bias, (first, values) -> System.arraycopy(values, 0, all, (int) first, values.length));
        return all;
    }

    /** Whether there is a scale for each value. */
    boolean isPerChannel() {
        return scales.length > 1;
    }

    Weight codeWeight(String name) {
        return Constants.integers(name, codes, bias.shape());
    }

    Weight scaleWeight(String name) {
        return Constants.floats(name, () -> scales, scales.length, isPerChannel());
    }

    Weight zeroWeight(String name) {
        return Constants.integers(name, new int[scales.length], isPerChannel() ? Shape.of(scales.length) : Shape.of());
    }
}
