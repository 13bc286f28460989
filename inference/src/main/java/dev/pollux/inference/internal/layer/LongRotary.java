package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import java.util.List;

/**
 * LongRoPE (Ding et al., arXiv:2402.13753): each frequency has two factors, one for sequences up to the original context
 * and one for longer ones.
 */
public final class LongRotary {

    private LongRotary() {}

    /** Whether rotary settings select it. */
    public static boolean isAskedFor(Settings rope) {
        return RotaryScaling.isLong(rope);
    }

    public static Rotary write(Blocks b, Settings rope) {
        double part = rope.number("partial_rotary_factor", b.settings.number("partial_rotary_factor", 1));
        return write(b, rope, (int) (b.config.headDim() * part));
    }

    /** The same for the first {@code width} elements of a head. */
    public static Rotary write(Blocks b, Settings rope, int width) {
        ModelConfig config = b.config;
        int original = original(b, rope);
        double stated = rope.number("factor", (double) config.contextLength() / original);
        double ratio = b.settings.has("original_max_position_embeddings")
                ? (double) config.contextLength() / original
                : stated;
        double factor =
                rope.number("attention_factor", ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original)));
        return write(b, rope, width, factor);
    }

    /** The same with a given factor of cosines and sines. */
    public static Rotary write(Blocks b, Settings rope, int width, double factor) {
        double theta = rope.number("rope_theta", b.settings.number("rope_theta", 10_000));
        double[] upTo = frequencies(rope, "short_factor", width, theta);
        return b.switchedRotary(upTo, frequencies(rope, "long_factor", width, theta), original(b, rope), factor);
    }

    private static int original(Blocks b, Settings rope) {
        return b.settings.integer("original_max_position_embeddings", (int)
                rope.positive("original_max_position_embeddings", b.config.contextLength()));
    }

    private static double[] frequencies(Settings rope, String key, int width, double theta) {
        List<Double> factors = rope.numbers(key);
        if (factors.size() != width / 2 || factors.stream().anyMatch(factor -> !(factor > 0))) {
            throw new MalformedFileException(
                    rope.file() + ": " + key + " must hold " + width / 2 + " numbers above 0 but held " + factors);
        }
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = 1 / (factors.get(i) * Math.pow(theta, 2.0 * i / width));
        }
        return frequencies;
    }
}
