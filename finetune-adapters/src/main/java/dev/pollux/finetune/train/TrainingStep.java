package dev.pollux.finetune.train;

import java.time.Duration;
import java.util.Map;

/**
 * A finished step. <em>Immutable.</em>
 *
 * @param step from 1
 * @param steps in all
 * @param epoch the rows read so far, in epochs
 * @param loss the loss before the step
 * @param gradientNorm the norm of the gradient before it is bounded
 * @param learningRate the rate of the step
 * @param tokens the tokens read so far
 * @param elapsed since the beginning of the run
 * @param metrics other measures, with the names of TRL
 */
public record TrainingStep(
        long step,
        long steps,
        double epoch,
        double loss,
        double gradientNorm,
        double learningRate,
        long tokens,
        Duration elapsed,
        Map<String, Double> metrics) {

    public TrainingStep {
        metrics = Map.copyOf(metrics);
    }
}
