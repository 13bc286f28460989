package dev.pollux.finetune.train;

import java.util.OptionalDouble;

/** Supervised fine-tuning. <em>Immutable.</em> */
final class SftObjective extends Objective {

    private final boolean dynamic;

    SftObjective(boolean dynamic) {
        this.dynamic = dynamic;
    }

    @Override
    public Rows rows() {
        return Rows.SEQUENCES;
    }

    @Override
    public String name() {
        return dynamic ? "dft" : "sft";
    }

    @Override
    boolean needsReference() {
        return false;
    }

    @Override
    boolean isPerToken() {
        return true;
    }

    @Override
    OptionalDouble gradient(double tokens) {
        return dynamic ? OptionalDouble.empty() : OptionalDouble.of(-1 / tokens);
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        for (int i = 0; i < batch.sequences().size(); i++) {
            ScoredSequence one = batch.sequences().get(i);
            double[] gradient = result.gradients().get(i);
            for (int t = 0; t < one.tokens(); t++) {
                if (one.completion()[t]) {
                    double weight = dynamic ? Math.exp(one.logProbabilities()[t]) : 1;
                    result.add(-weight * one.logProbabilities()[t] / tokens);
                    gradient[t] = -weight / tokens;
                }
            }
        }
        result.entropy();
        result.metric("mean_token_accuracy", BatchLoss.mean(batch.sequences(), one -> one.sum(one.hits())));
        return result;
    }

    @Override
    public String toString() {
        return name();
    }
}
