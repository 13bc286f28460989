package dev.pollux.finetune.train;

/** Kahneman-Tversky optimization. <em>Immutable.</em> */
final class KtoObjective extends Objective {

    /*
     * s = log p − log p_ref of a completion, z = max(0, mean s of the mismatched completions), constant:
     *
     *   desirable     λ_D (1 − σ(β (s − z)))     ds: −λ_D β σ′
     *   undesirable   λ_U (1 − σ(β (z − s)))     ds:  λ_U β σ′
     *
     * apo_zero_unpaired (D'Oosterlinck et al., arXiv:2408.06266) is the same with z = 0.
     */

    private final KtoOptions options;

    KtoObjective(KtoOptions options) {
        this.options = options;
    }

    @Override
    public Rows rows() {
        return Rows.UNPAIRED;
    }

    @Override
    public String name() {
        return "kto";
    }

    @Override
    boolean needsReference() {
        return true;
    }

    @Override
    boolean needsMismatched() {
        return options.loss() == KtoOptions.Loss.KTO;
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        double z = 0;
        for (ScoredSequence one : batch.mismatched()) {
            z += one.ratio() / batch.mismatched().size();
        }
        z = needsMismatched() ? Math.max(0, z) : 0;
        int count = batch.sequences().size();
        for (int i = 0; i < count; i++) {
            double sign = batch.desirable()[i] ? 1 : -1;
            double weight = batch.desirable()[i] ? options.desirableWeight() : options.undesirableWeight();
            double x = options.beta() * (batch.sequences().get(i).ratio() - z) * sign;
            result.add(weight * (1 - Sigmoid.of(x)) / count);
            result.addGradient(i, -weight * options.beta() * sign * Sigmoid.slope(x) / count);
        }
        result.metric("kl", z);
        result.entropy();
        UnpairedMetrics.add(result, batch, options.beta());
        return result;
    }

    @Override
    public String toString() {
        return "kto " + options;
    }
}
