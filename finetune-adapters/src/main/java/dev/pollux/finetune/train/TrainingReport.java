package dev.pollux.finetune.train;

import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The result of a training run. <em>Immutable.</em>
 *
 * @param steps optimizer steps
 * @param tokens tokens read, those of evaluations not counted
 * @param elapsed the time of the run
 * @param trainLoss the mean loss of the last tenth of the steps, at least one
 * @param before the measures of the evaluation rows before the first step
 * @param after the same of the trained adapter
 * @param keptStep the step after which the adapter was as it is: the last one, or that with the best loss of evaluation rows
 * @param directMemory bytes of direct memory that were allocated
 * @param log the reported steps
 * @param notices what the host should know about the data and the run
 * @param adapter the trained adapter
 */
public record TrainingReport(
        long steps,
        long tokens,
        Duration elapsed,
        double trainLoss,
        Evaluation before,
        Evaluation after,
        long keptStep,
        long directMemory,
        List<TrainingStep> log,
        List<String> notices,
        TrainedAdapter adapter) {

    public TrainingReport {
        log = List.copyOf(log);
        notices = List.copyOf(notices);
    }

    /**
     * Measures of rows that are not trained. <em>Immutable.</em>
     *
     * @param loss the loss; empty without evaluation rows
     * @param rewardAccuracy the share of pairs whose chosen completion has the larger reward; of an embedder, the share of queries
     *     that are nearest to their positive among the documents of a batch; of a reranker, the share of pairs whose score is on
     *     the side of the label; empty for other rows
     */
    public record Evaluation(OptionalDouble loss, OptionalDouble rewardAccuracy) {
        static final Evaluation NONE = new Evaluation(OptionalDouble.empty(), OptionalDouble.empty());
    }

    /** Tokens read in a second. */
    public double tokensPerSecond() {
        return tokens / Math.max(1e-9, elapsed.toNanos() / 1e9);
    }
}
