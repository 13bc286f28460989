package dev.pollux.finetune.train;

import java.util.function.IntToDoubleFunction;

/** Odds ratio preference optimization. <em>Immutable.</em> */
final class OrpoObjective extends Objective {

    /*
     * With p̄ the mean of log p over a completion, o = (p̄_w − p̄_l) − (log(1 − e^p̄_w) − log(1 − e^p̄_l)):
     *
     *   L = NLL(prompt and chosen) − β · mean log σ(o)
     *   do/dp̄ = ±1 / (1 − e^p̄),  dL/do = −β σ(−o) / pairs
     */

    private final double beta;

    OrpoObjective(double beta) {
        this.beta = positive("beta", beta);
    }

    @Override
    public Rows rows() {
        return Rows.PAIRS;
    }

    @Override
    public String name() {
        return "orpo";
    }

    @Override
    boolean needsReference() {
        return false;
    }

    @Override
    boolean scoresPrompt() {
        return true;
    }

    /** log(1 − eˣ) for negative x (Mächler, 2012). */
    private static double log1mexp(double x) {
        return x > -Math.log(2) ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        int pairs = batch.pairs();
        double[] chosen = new double[pairs];
        double[] rejected = new double[pairs];
        double ratios = 0;
        double odds = 0;
        for (int i = 0; i < pairs; i++) {
            double w = batch.chosen(i).mean();
            double l = batch.rejected(i).mean();
            double o = (w - l) - (log1mexp(w) - log1mexp(l));
            ratios += Sigmoid.log(o) / pairs;
            odds += o / pairs;
            double slope = -beta * Sigmoid.of(-o) / pairs;
            result.addGradient(i, slope / -Math.expm1(w) / batch.chosen(i).length());
            result.addGradient(
                    pairs + i, -slope / -Math.expm1(l) / batch.rejected(i).length());
            chosen[i] = beta * w;
            rejected[i] = beta * l;
        }
        double likelihood = likelihood(batch, result);
        result.add(likelihood - beta * ratios);
        result.rewards(chosen, rejected);
        result.metric("logps/rejected", mean(batch, i -> batch.rejected(i).mean()));
        result.metric("logps/chosen", mean(batch, i -> batch.chosen(i).mean()));
        result.metric("nll_loss", likelihood);
        result.metric("log_odds_ratio", ratios);
        result.metric("log_odds_chosen", odds);
        return result;
    }

    private static double mean(ScoredBatch batch, IntToDoubleFunction of) {
        double sum = 0;
        for (int i = 0; i < batch.pairs(); i++) {
            sum += of.applyAsDouble(i);
        }
        return sum / batch.pairs();
    }

    /** The mean of −log p over all tokens of prompts and chosen completions. */
    private static double likelihood(ScoredBatch batch, BatchLoss result) {
        double sum = 0;
        long count = 0;
        for (int i = 0; i < batch.pairs(); i++) {
            for (double p : batch.chosen(i).logProbabilities()) {
                sum -= p;
                count++;
            }
        }
        for (int i = 0; i < batch.pairs(); i++) {
            double[] gradient = result.gradients().get(i);
            for (int t = 0; t < gradient.length; t++) {
                gradient[t] -= 1.0 / count;
            }
        }
        return sum / count;
    }

    @Override
    public String toString() {
        return "orpo[beta=" + beta + "]";
    }
}
