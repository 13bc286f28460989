package dev.pollux.finetune.train;

/** Contrastive preference optimization. <em>Immutable.</em> */
final class CpoObjective extends Objective {

    /*
     * ℓ is the sum of log p over a completion, in SimPO and IPO its mean. With AlphaPO (Gupta et al., arXiv:2501.03884) the reward is
     * (1 − p^−α) / α in place of ℓ = log p, whose derivative is p^−α. Δ is the difference of the rewards of a pair, in SimPO
     * less γ / β.
     *
     *   sigmoid, simpo   −(1 − ε) log σ(βΔ) − ε log σ(−βΔ)      dΔ: −β ((1 − ε) σ(−βΔ) − ε σ(βΔ))
     *   hinge            max(0, 1 − βΔ)                          dΔ: −β where βΔ < 1
     *   ipo              (Δ − 1 / (2β))²                         dΔ: 2 (Δ − 1 / (2β))
     *
     * plus α_cpo times the mean of −log p over the chosen completions.
     */

    private final CpoOptions options;

    CpoObjective(CpoOptions options) {
        this.options = options;
    }

    @Override
    public Rows rows() {
        return Rows.PAIRS;
    }

    @Override
    public String name() {
        return options.loss() == CpoOptions.Loss.SIMPO ? "simpo" : "cpo";
    }

    @Override
    boolean needsReference() {
        return false;
    }

    private boolean isMean() {
        return isSimple() || options.loss() == CpoOptions.Loss.IPO;
    }

    private boolean isSimple() {
        return options.loss() == CpoOptions.Loss.SIMPO;
    }

    private double score(ScoredSequence one) {
        return isMean() ? one.mean() : one.sum();
    }

    private double rewardOf(double score) {
        double alpha = options.alpha();
        return alpha == 0 ? score : (1 - Math.exp(-alpha * score)) / alpha;
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        int pairs = batch.pairs();
        double[] chosen = new double[pairs];
        double[] rejected = new double[pairs];
        double first = 0;
        double second = 0;
        for (int i = 0; i < pairs; i++) {
            double w = score(batch.chosen(i));
            double l = score(batch.rejected(i));
            first += w / pairs;
            second += l / pairs;
            chosen[i] = options.beta() * rewardOf(w);
            rejected[i] = options.beta() * rewardOf(l);
            double delta = rewardOf(w) - rewardOf(l) - (isSimple() ? options.gamma() / options.beta() : 0);
            result.add(value(delta) / pairs);
            double slope = slope(delta) / pairs;
            spread(result, batch, i, slope * Math.exp(-options.alpha() * w));
            spread(result, batch, pairs + i, -slope * Math.exp(-options.alpha() * l));
        }
        double likelihood = options.likelihoodWeight() == 0 ? 0 : likelihood(batch, result);
        result.add(options.likelihoodWeight() * likelihood);
        result.rewards(chosen, rejected);
        result.metric("logps/rejected", second);
        result.metric("logps/chosen", first);
        result.metric("nll_loss", likelihood);
        return result;
    }

    private void spread(BatchLoss result, ScoredBatch batch, int sequence, double gradient) {
        int length = isMean() ? batch.sequences().get(sequence).length() : 1;
        result.addGradient(sequence, gradient / length);
    }

    private double value(double delta) {
        double x = options.beta() * delta;
        double smoothing = options.labelSmoothing();
        return switch (options.loss()) {
            case SIGMOID, SIMPO -> -Sigmoid.log(x) * (1 - smoothing) - Sigmoid.log(-x) * smoothing;
            case HINGE -> Math.max(0, 1 - x);
            case IPO -> Math.pow(delta - 1 / (2 * options.beta()), 2);
        };
    }

    private double slope(double delta) {
        double beta = options.beta();
        double smoothing = options.labelSmoothing();
        return switch (options.loss()) {
            case SIGMOID, SIMPO ->
                -beta * ((1 - smoothing) * Sigmoid.of(-beta * delta) - smoothing * Sigmoid.of(beta * delta));
            case HINGE -> beta * delta < 1 ? -beta : 0;
            case IPO -> 2 * (delta - 1 / (2 * beta));
        };
    }

    private double likelihood(ScoredBatch batch, BatchLoss result) {
        double sum = 0;
        long count = 0;
        for (int i = 0; i < batch.pairs(); i++) {
            sum -= batch.chosen(i).sum();
            count += batch.chosen(i).length();
        }
        for (int i = 0; i < batch.pairs(); i++) {
            result.addGradient(i, -options.likelihoodWeight() / count);
        }
        return sum / count;
    }

    @Override
    public String toString() {
        return name() + " " + options;
    }
}
