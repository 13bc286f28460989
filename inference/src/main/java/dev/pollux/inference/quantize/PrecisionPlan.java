package dev.pollux.inference.quantize;

import dev.pollux.quantization.QuantizationRecipe;
import java.util.List;

/**
 * Bits and block size of each matrix under a budget. <em>Immutable.</em>
 *
 * @param recipe the recipe, with a rule for each matrix whose form differs from the recipe's own
 * @param choices the groups of matrices, in graph order
 * @param points what other budgets would give, from the fewest bytes to the most; each has a smaller loss than the one before
 * @param bytes bytes of all weights of the result
 * @param predictedKl predicted mean KL(original‖quantized) of a token in nats, without the rounding of activations
 */
public record PrecisionPlan(
        QuantizationRecipe recipe, List<Choice> choices, List<Point> points, long bytes, double predictedKl) {

    public PrecisionPlan {
        choices = List.copyOf(choices);
        points = List.copyOf(points);
    }

    /**
     * The form of matrices that are quantized alike because they multiply the same input.
     *
     * @param matrices the names of the weights
     * @param bits bits of a code
     * @param blockSize number of weights that share a scale
     * @param bytes bytes of codes, scales and zero points
     * @param kl predicted KL if no other matrix were quantized
     */
    public record Choice(List<String> matrices, int bits, int blockSize, long bytes, double kl) {

        public Choice {
            matrices = List.copyOf(matrices);
        }
    }

    /**
     * One point of the Pareto curve.
     *
     * @param bytes bytes of all weights
     * @param kl predicted KL
     * @param bits mean bits of a code
     */
    public record Point(long bytes, double kl, double bits) {}
}
