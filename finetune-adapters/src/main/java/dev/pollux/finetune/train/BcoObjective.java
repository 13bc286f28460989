package dev.pollux.finetune.train;

/** Binary classifier optimization. <em>Immutable.</em> */
final class BcoObjective extends Objective {

    /*
     * r = β (log p − log p_ref) of a completion. δ, the running mean of all rewards, is updated before it is used:
     *
     *   desirable     −log σ(r − δ)       dr: −σ(−(r − δ))
     *   undesirable   −log σ(−(r − δ))    dr:  σ(r − δ)
     */

    private final double beta;

    BcoObjective(double beta) {
        this.beta = positive("beta", beta);
    }

    @Override
    public Rows rows() {
        return Rows.UNPAIRED;
    }

    @Override
    public String name() {
        return "bco";
    }

    @Override
    boolean needsReference() {
        return true;
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        int count = batch.sequences().size();
        double[] rewards = new double[count];
        for (int i = 0; i < count; i++) {
            rewards[i] = beta * batch.sequences().get(i).ratio();
        }
        running.add(rewards);
        for (int i = 0; i < count; i++) {
            double sign = batch.desirable()[i] ? 1 : -1;
            double x = sign * (rewards[i] - running.mean());
            result.add(-Sigmoid.log(x) / count);
            result.addGradient(i, -sign * beta * Sigmoid.of(-x) / count);
        }
        result.metric("delta", running.mean());
        UnpairedMetrics.add(result, batch, beta);
        return result;
    }

    @Override
    public String toString() {
        return "bco[beta=" + beta + "]";
    }
}
