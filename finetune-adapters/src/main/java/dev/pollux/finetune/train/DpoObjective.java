package dev.pollux.finetune.train;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Direct preference optimization and its relatives. <em>Immutable.</em> */
final class DpoObjective extends Objective {

    private final DpoOptions options;

    DpoObjective(DpoOptions options) {
        this.options = options;
    }

    @Override
    public Rows rows() {
        return Rows.PAIRS;
    }

    @Override
    public String name() {
        return "dpo";
    }

    @Override
    boolean needsReference() {
        return true;
    }

    /** The two sequences of a pair. */
    private static final class Pair {
        private double chosen; // the sum of log p, tails weighted
        private double rejected;
        private double chosenReference;
        private double rejectedReference;
        private int chosenLength;
        private int rejectedLength;
        private double weight = 1;
        private double dChosen; // the gradient with respect to the sum
        private double dRejected;

        private double w() {
            return chosen - chosenReference;
        }

        private double l() {
            return rejected - rejectedReference;
        }
    }

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        Pair[] pairs = new Pair[batch.pairs()];
        Arrays.setAll(pairs, i -> pair(batch.chosen(i), batch.rejected(i)));
        for (int i = 0; i < options.losses().size(); i++) {
            DpoOptions.Loss loss = options.losses().get(i);
            double share = options.weights().get(i) / pairs.length;
            switch (loss) {
                case SFT -> likelihood(batch, pairs, result, options.weights().get(i));
                case AOT -> sorted(pairs, result, share, true);
                case AOT_UNPAIRED -> sorted(pairs, result, share, false);
                default -> {
                    for (Pair pair : pairs) {
                        single(loss, pair, result, share * pair.weight);
                    }
                }
            }
        }
        for (int i = 0; i < pairs.length; i++) {
            int shared = Math.min(pairs[i].chosenLength, pairs[i].rejectedLength);
            spread(result, batch, i, pairs[i].dChosen, shared);
            spread(result, batch, pairs.length + i, pairs[i].dRejected, shared);
        }
        metrics(batch, pairs, result);
        return result;
    }

    private Pair pair(ScoredSequence chosen, ScoredSequence rejected) {
        Pair pair = new Pair();
        pair.chosenLength = chosen.length();
        pair.rejectedLength = rejected.length();
        int shared = Math.min(pair.chosenLength, pair.rejectedLength);
        pair.chosen = sum(chosen, chosen.logProbabilities(), shared);
        pair.rejected = sum(rejected, rejected.logProbabilities(), shared);
        pair.chosenReference = sum(chosen, chosen.reference(), shared);
        pair.rejectedReference = sum(rejected, rejected.reference(), shared);
        if (options.isWeighted()) {
            pair.weight = confidence(chosen) * confidence(rejected);
        }
        return pair;
    }

    /** LD-DPO (Liu et al., arXiv:2409.06411): tokens beyond the length of the shorter completion count by α. */
    private double sum(ScoredSequence one, double[] values, int shared) {
        double sum = 0;
        int at = 0;
        for (int t = 0; t < one.tokens(); t++) {
            if (one.completion()[t]) {
                sum += values[t] * tail(at++, shared);
            }
        }
        return sum;
    }

    private double tail(int at, int shared) {
        return at < shared ? 1 : options.tailWeight();
    }

    private void spread(BatchLoss result, ScoredBatch batch, int sequence, double gradient, int shared) {
        ScoredSequence one = batch.sequences().get(sequence);
        double[] own = result.gradients().get(sequence);
        int at = 0;
        for (int t = 0; t < one.tokens(); t++) {
            if (one.completion()[t]) {
                own[t] += gradient * tail(at++, shared);
            }
        }
    }

    /** WPO (Zhou et al., arXiv:2406.11827): e to the mean of log p − log Σ p². */
    private static double confidence(ScoredSequence one) {
        double sum = 0;
        for (int t = 0; t < one.tokens(); t++) {
            sum += one.completion()[t] ? one.logProbabilities()[t] - Math.log(one.collisions()[t]) : 0;
        }
        return Math.exp(sum / Math.max(1, one.length()));
    }

    /** A loss of each pair by itself. */
    private void single(DpoOptions.Loss loss, Pair pair, BatchLoss result, double share) {
        if (loss.isOfScores()) {
            double chosen = options.divergence().score(pair.w(), options.divergenceAlpha());
            double rejected = options.divergence().score(pair.l(), options.divergenceAlpha());
            boolean mean = loss == DpoOptions.Loss.IPO || loss == DpoOptions.Loss.SIGMOID_NORM;
            double nChosen = mean ? Math.max(1, pair.chosenLength) : 1;
            double nRejected = mean ? Math.max(1, pair.rejectedLength) : 1;
            double delta = chosen / nChosen - rejected / nRejected;
            result.add(share * DpoLosses.value(loss, delta, options));
            double slope = share * DpoLosses.slope(loss, delta, options);
            pair.dChosen += slope / nChosen * options.divergence().slope(pair.w(), options.divergenceAlpha());
            pair.dRejected -= slope / nRejected * options.divergence().slope(pair.l(), options.divergenceAlpha());
            return;
        }
        double[] found = DpoLosses.ofRatios(loss, pair.w(), pair.l(), options.beta());
        result.add(share * found[0]);
        pair.dChosen += share * found[1];
        pair.dRejected += share * found[2];
    }

    /** AOT (Melnyk et al., arXiv:2406.05882): quantiles of two distributions are compared. */
    private void sorted(Pair[] pairs, BatchLoss result, double share, boolean paired) {
        double[] first = new double[pairs.length];
        double[] second = new double[pairs.length];
        for (int i = 0; i < pairs.length; i++) {
            first[i] = paired ? pairs[i].chosen - pairs[i].rejected : pairs[i].w();
            second[i] = paired ? pairs[i].chosenReference - pairs[i].rejectedReference : pairs[i].l();
        }
        int[] byFirst = order(first);
        int[] bySecond = order(second);
        for (int i = 0; i < pairs.length; i++) {
            double delta = first[byFirst[i]] - second[bySecond[i]];
            result.add(share * DpoLosses.smoothed(delta, options));
            double slope = share * DpoLosses.smoothedSlope(delta, options);
            pairs[byFirst[i]].dChosen += slope;
            pairs[paired ? byFirst[i] : bySecond[i]].dRejected -= slope;
        }
    }

    private static int[] order(double[] values) {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> values[i]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** The mean of −log p over all tokens of chosen completions, times the mean weight of the pairs. */
    private void likelihood(ScoredBatch batch, Pair[] pairs, BatchLoss result, double weight) {
        double sum = 0;
        long count = 0;
        double share = 0;
        for (int i = 0; i < pairs.length; i++) {
            sum -= batch.chosen(i).sum();
            count += batch.chosen(i).length();
            share += pairs[i].weight * weight / pairs.length;
        }
        result.add(share * sum / count);
        for (int i = 0; i < pairs.length; i++) {
            result.addGradient(i, -share / count);
        }
    }

    private void metrics(ScoredBatch batch, Pair[] pairs, BatchLoss result) {
        var chosen = batch.sequences().subList(0, pairs.length);
        var rejected = batch.sequences().subList(pairs.length, 2 * pairs.length);
        result.entropy();
        result.metric("logits/chosen", BatchLoss.mean(chosen, one -> one.sum(one.meanLogits())));
        result.metric("logits/rejected", BatchLoss.mean(rejected, one -> one.sum(one.meanLogits())));
        result.metric("mean_token_accuracy", BatchLoss.mean(chosen, one -> one.sum(one.hits())));
        result.rewards(
                Arrays.stream(pairs)
                        .mapToDouble(pair -> options.beta() * pair.w())
                        .toArray(),
                Arrays.stream(pairs)
                        .mapToDouble(pair -> options.beta() * pair.l())
                        .toArray());
        result.metric(
                "logps/chosen",
                Arrays.stream(pairs).mapToDouble(pair -> pair.chosen).average().orElse(0));
        result.metric(
                "logps/rejected",
                Arrays.stream(pairs)
                        .mapToDouble(pair -> pair.rejected)
                        .average()
                        .orElse(0));
    }

    @Override
    public String toString() {
        return "dpo " + options;
    }
}
