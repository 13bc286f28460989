package dev.pollux.finetune.train;

/** Distillation from a teacher. <em>Immutable.</em> */
final class DistillationObjective extends Objective {

    private final DistillationOptions options;

    DistillationObjective(DistillationOptions options) {
        this.options = options;
    }

    DistillationOptions options() {
        return options;
    }

    @Override
    public Rows rows() {
        return Rows.SEQUENCES;
    }

    @Override
    public String name() {
        return "distill";
    }

    @Override
    boolean needsReference() {
        return false;
    }

    @Override
    boolean needsTeacher() {
        return true;
    }

    @Override
    boolean isPerToken() {
        return true;
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        double supervised = options.supervisedWeight();
        for (int i = 0; i < batch.sequences().size(); i++) {
            ScoredSequence one = batch.sequences().get(i);
            for (int t = 0; t < one.tokens(); t++) {
                if (one.completion()[t]) {
                    double divergence = one.divergences()[t];
                    double likelihood = one.logProbabilities()[t];
                    result.add(((1 - supervised) * divergence - supervised * likelihood) / tokens);
                    result.divergences().get(i)[t] = (1 - supervised) / tokens;
                    result.gradients().get(i)[t] = -supervised / tokens;
                }
            }
        }
        result.entropy();
        result.metric("divergence", BatchLoss.mean(batch.sequences(), one -> one.sum(one.divergences())));
        result.metric("nll_loss", -BatchLoss.mean(batch.sequences(), ScoredSequence::sum));
        result.metric("mean_token_accuracy", BatchLoss.mean(batch.sequences(), one -> one.sum(one.hits())));
        return result;
    }

    @Override
    public String toString() {
        return "distill " + options;
    }
}
