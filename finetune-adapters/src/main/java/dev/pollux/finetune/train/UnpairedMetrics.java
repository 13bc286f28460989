package dev.pollux.finetune.train;

import java.util.ArrayList;
import java.util.List;

/** The measures of desirable and undesirable completions. */
final class UnpairedMetrics {

    private UnpairedMetrics() {}

    static void add(BatchLoss result, ScoredBatch batch, double beta) {
        double chosen = of(result, batch, beta, true, "chosen");
        double rejected = of(result, batch, beta, false, "rejected");
        if (!Double.isNaN(chosen) && !Double.isNaN(rejected)) {
            result.metric("rewards/margins", chosen - rejected);
        }
    }

    /** The mean reward; NaN if there is no completion of the kind. */
    private static double of(BatchLoss result, ScoredBatch batch, double beta, boolean desirable, String name) {
        List<ScoredSequence> kind = new ArrayList<>();
        for (int i = 0; i < batch.sequences().size(); i++) {
            if (batch.desirable()[i] == desirable) {
                kind.add(batch.sequences().get(i));
            }
        }
        if (kind.isEmpty()) {
            return Double.NaN;
        }
        double reward = beta
                * kind.stream().mapToDouble(ScoredSequence::ratio).average().orElse(0);
        result.metric("logits/" + name, BatchLoss.mean(kind, one -> one.sum(one.meanLogits())));
        result.metric("rewards/" + name, reward);
        result.metric(
                "logps/" + name,
                kind.stream().mapToDouble(ScoredSequence::sum).average().orElse(0));
        return reward;
    }
}
