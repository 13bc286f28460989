package dev.pollux.inference.quantize;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a measured quantization must keep. <em>Immutable.</em>
 *
 * @param text the held-out text on which the finished model is compared with its original
 * @param sample the text on which the loss of single matrices is measured; best another than {@code text}
 * @param budget the limit for the choice of bits; without it every matrix has the recipe's form
 * @param mostKl the largest mean KL(original‖quantized) of the finished model in nats, above 0; without it any loss is accepted
 */
public record LossGoal(String text, String sample, Optional<PrecisionBudget> budget, OptionalDouble mostKl) {

    public LossGoal {
        if (mostKl.isPresent() && !(mostKl.getAsDouble() > 0)) {
            throw new IllegalArgumentException("mostKl must be above 0 but was " + mostKl.getAsDouble());
        }
    }

    /** A measurement without a limit. */
    public static LossGoal on(String text) {
        return new LossGoal(text, text, Optional.empty(), OptionalDouble.empty());
    }

    /** A copy with another {@link #sample}. */
    public LossGoal withSample(String other) {
        return new LossGoal(text, other, budget, mostKl);
    }

    /** A copy with a {@link #budget}. */
    public LossGoal withBudget(PrecisionBudget limit) {
        return new LossGoal(text, sample, Optional.of(limit), mostKl);
    }

    /** A copy with {@link #mostKl}. */
    public LossGoal withMostKl(double most) {
        return new LossGoal(text, sample, budget, OptionalDouble.of(most));
    }
}
