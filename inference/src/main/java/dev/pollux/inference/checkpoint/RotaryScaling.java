package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.util.Arrays;
import java.util.List;

/**
 * The scaling of rotary frequencies for contexts longer than those of pre-training. <em>Immutable.</em>
 *
 * <p>Frequencies are those of RoFormer (Su et al., arXiv:2104.09864): θ^(−2i/d) for i in [0, d/2).
 */
public sealed interface RotaryScaling {

    /**
     * The scaled frequencies.
     *
     * @param base (headDim / 2), θ^(−2i/headDim)
     * @param theta the rotary base
     * @return (headDim / 2)
     */
    double[] apply(double[] base, double theta);

    /** The factor for cos and sin. */
    default double attentionFactor() {
        return 1;
    }

    /**
     * The scaling that a configuration's {@code rope_parameters} or {@code rope_scaling} specify.
     *
     * @param context the model's {@code max_position_embeddings}
     * @throws UnsupportedModelException if its type is not known
     */
    static RotaryScaling read(Settings rope, int context) {
        String type = rope.text("rope_type", rope.text("type", "default"));
        double factor = rope.positive("factor", 1);
        double original = rope.positive("original_max_position_embeddings", context);
        return switch (type) {
            // Dynamic scaling changes nothing up to max_position_embeddings, and the context is limited to that.
            case "default", "dynamic" -> new None();
            case "linear" -> new Linear(factor);
            case "llama3" ->
                new Llama3(factor, rope.positive("low_freq_factor", 1), rope.positive("high_freq_factor", 4), original);
            case "yarn" ->
                new Yarn(
                        factor,
                        rope.positive("beta_fast", 32),
                        rope.positive("beta_slow", 1),
                        original,
                        rope.flag("truncate", true),
                        yarnAttention(rope, factor));
            case "factors" -> // as derived from GGUF files
                new Factors(
                        rope.numbers("factors").stream().map(Double::floatValue).toList());
            default ->
                throw new UnsupportedModelException(rope.file() + ": rotary scaling '" + type
                        + "' is not supported, only default, dynamic, linear, llama3 and yarn");
        };
    }

    /**
     * Whether rotary settings specify LongRoPE, called {@code su} in older configurations. It has two tables instead of a
     * factor.
     */
    static boolean isLong(Settings rope) {
        String type = rope.text("rope_type", rope.text("type", "default"));
        return type.equals("longrope") || type.equals("su");
    }

    private static double yarnAttention(Settings rope, double factor) {
        if (rope.has("attention_factor")) {
            return rope.positive("attention_factor", 1);
        }
        double all = rope.number("mscale_all_dim", 0);
        double scale = rope.number("mscale", 0);
        return all != 0 && scale != 0 ? yarnScale(factor, scale) / yarnScale(factor, all) : yarnScale(factor, 1);
    }

    /** The temperature of YaRN: 0.1 · scale · ln(factor) + 1. */
    static double yarnScale(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    /** The frequencies of pre-training. */
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
            if (factors.size() != base.length || factors.stream().anyMatch(factor -> !(factor > 0))) {
                throw new MalformedFileException("Rotary factors must be " + base.length
                        + " numbers above 0, one for each pair, but are " + factors);
            }
            double[] scaled = base.clone();
            for (int i = 0; i < scaled.length; i++) {
                scaled[i] /= factors.get(i);
            }
            return scaled;
        }
    }

    /**
     * Llama 3.1: long wavelengths are divided by a factor, short ones are kept, and those in between are interpolated
     * (Grattafiori et al., arXiv:2407.21783).
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
