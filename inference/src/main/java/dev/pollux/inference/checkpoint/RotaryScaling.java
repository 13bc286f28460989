package dev.pollux.inference.checkpoint;

import java.util.Arrays;
import java.util.List;

/**
 * How rotary frequencies are stretched to contexts longer than those of pre-training. <em>Immutable.</em>
 *
 * <p>Frequencies are those of RoFormer (Su et al., arXiv:2104.09864): θ^(−2i/d) for i in [0, d/2).
 */
public sealed interface RotaryScaling {

    /**
     * The frequencies in force.
     *
     * @param base (headDim / 2), θ^(−2i/headDim)
     * @param theta the rotary base
     * @return (headDim / 2)
     */
    double[] apply(double[] base, double theta);

    /** The factor on cos and sin. */
    default double attentionFactor() {
        return 1;
    }

    /** As pre-trained. */
    record None() implements RotaryScaling {
        @Override
        public double[] apply(double[] base, double theta) {
            return base;
        }
    }

    /** Every frequency divided by a factor (position interpolation, Chen et al., arXiv:2306.15595). */
    record Linear(double factor) implements RotaryScaling {
        @Override
        public double[] apply(double[] base, double theta) {
            return Arrays.stream(base).map(f -> f / factor).toArray();
        }
    }

    /** Every frequency divided by its own factor, as GGUF stores scaling in {@code rope_freqs.weight}. */
    record Factors(List<Float> factors) implements RotaryScaling {

        public Factors {
            factors = List.copyOf(factors);
        }

        @Override
        public double[] apply(double[] base, double theta) {
            double[] scaled = base.clone();
            for (int i = 0; i < scaled.length; i++) {
                scaled[i] /= factors.get(i);
            }
            return scaled;
        }
    }

    /**
     * Llama 3.1: long wavelengths are divided by a factor, short ones kept, those between blended (Grattafiori et al.,
     * arXiv:2407.21783).
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, double originalContext)
            implements RotaryScaling {
        @Override
        public double[] apply(double[] base, double theta) {
            double longest = originalContext / lowFrequencyFactor;
            double shortest = originalContext / highFrequencyFactor;
            return Arrays.stream(base)
                    .map(frequency -> {
                        double wavelength = 2 * Math.PI / frequency;
                        if (wavelength < shortest) {
                            return frequency;
                        }
                        if (wavelength > longest) {
                            return frequency / factor;
                        }
                        double smooth = (originalContext / wavelength - lowFrequencyFactor)
                                / (highFrequencyFactor - lowFrequencyFactor);
                        return (1 - smooth) * frequency / factor + smooth * frequency;
                    })
                    .toArray();
        }
    }

    /** YaRN: interpolation by parts with a temperature (Peng et al., arXiv:2309.00071). */
    record Yarn(
            double factor,
            double betaFast,
            double betaSlow,
            double originalContext,
            boolean truncate,
            double attentionFactor)
            implements RotaryScaling {
        @Override
        public double[] apply(double[] base, double theta) {
            double low = correction(betaFast, base.length, theta);
            double high = correction(betaSlow, base.length, theta);
            if (truncate) {
                low = Math.floor(low);
                high = Math.ceil(high);
            }
            low = Math.max(low, 0);
            high = Math.min(high, 2.0 * base.length - 1);
            double width = high == low ? 0.001 : high - low;
            double[] scaled = new double[base.length];
            for (int i = 0; i < base.length; i++) {
                double ramp = Math.min(1, Math.max(0, (i - low) / width));
                scaled[i] = base[i] / factor * ramp + base[i] * (1 - ramp);
            }
            return scaled;
        }

        private double correction(double rotations, int half, double theta) {
            return half * Math.log(originalContext / (rotations * 2 * Math.PI)) / Math.log(theta);
        }
    }
}
