package dev.pollux.finetune.train;

import dev.pollux.finetune.train.GrpoOptions.Loss;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Group relative policy optimization and its relatives. <em>Immutable.</em> */
final class GrpoObjective extends Objective {

    /*
     * ρ = exp(log p − log p_old), for a token or, as the exponential of the mean, for a sequence; A is the advantage of the
     * sequence. The loss of a token:
     *
     *   grpo, bnpo, dr_grpo, dapo, luspo   −min(min(ρ, δ) A, clip(ρ, 1 − ε, 1 + ε_high) A)
     *   cispo    −min(ρ, ε_high) A log p, with a constant ratio
     *   sapo     −4 σ(T (ρ − 1)) / T · A        T = 1 if A > 0, else 1.05
     *   vespo    −φ A log p                     φ = exp(λ + k log w − λ w), constant; w = Π ρ of the sequence,
     *                                           k, λ = 2, 3 if A ≥ 0, else 3, 2
     *
     * plus β (e^d − d − 1), d = log p_ref − log p, times ρ if the divergence is corrected. Then the mean over the tokens of a
     * sequence and over sequences (grpo, sapo), over the tokens of the micro-batch (bnpo) or of the step (dapo, cispo, vespo),
     * the sum over tokens divided by sequences (luspo) and by the largest length, too (dr_grpo).
     *
     * A loss is a function of log p directly and of ρ; gradients by ρ are collected first, since all tokens of a sequence
     * may share it.
     */

    private static final double GATE_POSITIVE = 1.0;
    private static final double GATE_NEGATIVE = 1.05;
    private static final double SMALLEST_LOG_WEIGHT = Math.log(1e-8);
    private static final double LARGEST_LOG_WEIGHT = 20;

    private final RewardFunction rewards;
    private final GrpoOptions options;

    GrpoObjective(RewardFunction rewards, GrpoOptions options) {
        this.rewards = rewards;
        this.options = options;
    }

    GrpoOptions options() {
        return options;
    }

    RewardFunction rewards() {
        return rewards;
    }

    /** Whether rows must have answers. */
    boolean needsAnswers() {
        return rewards instanceof AnswerReward
                || rewards instanceof WeightedRewards weighted && weighted.needsAnswers();
    }

    @Override
    public Rows rows() {
        return Rows.PROMPTS;
    }

    @Override
    public String name() {
        return "grpo";
    }

    @Override
    boolean needsReference() {
        return options.beta() > 0;
    }

    @Override
    boolean isPerToken() {
        return options.loss() == Loss.DAPO || options.loss() == Loss.CISPO || options.loss() == Loss.VESPO;
    }

    /** A sequence whose loss is computed. */
    private record Sequence(ScoredSequence scored, double[] old, double advantage, double weight) {}

    @Override
    BatchLoss loss(ScoredBatch batch, double tokens, RunningReward running) {
        BatchLoss result = new BatchLoss(batch);
        int count = batch.sequences().size();
        double all = batch.sequences().stream().mapToInt(ScoredSequence::length).sum();
        double threshold = entropyThreshold(batch);
        Clipped clipped = new Clipped();
        double divergence = 0;
        for (int i = 0; i < count; i++) {
            ScoredSequence one = batch.sequences().get(i);
            double weight = switch (options.loss()) {
                case GRPO, SAPO -> 1.0 / Math.max(1, one.length()) / count;
                case BNPO -> 1 / Math.max(1, all);
                case DR_GRPO -> 1.0 / count / options.maxTokens();
                case DAPO, CISPO, VESPO -> 1 / Math.max(1, tokens);
                case LUSPO -> 1.0 / count;
            };
            double[] old =
                    batch.old().isEmpty() ? one.logProbabilities() : batch.old().get(i);
            Sequence sequence = new Sequence(one, old, batch.advantages()[i], weight);
            divergence += add(sequence, threshold, result.gradients().get(i), result, clipped);
        }
        result.entropy();
        if (options.beta() > 0) {
            result.metric("kl", divergence / Math.max(1, all));
        }
        clipped.report(result, options.loss());
        return result;
    }

    /** Adds the loss and the gradients of a sequence; returns the sum of its divergence. */
    private double add(Sequence one, double threshold, double[] gradients, BatchLoss result, Clipped clipped) {
        ScoredSequence scored = one.scored();
        double[] ratios = ratios(one);
        boolean kept = one.advantage() >= 0 || meanLogRatio(one) >= -options.offPolicyThreshold();
        double kernel = options.loss() == Loss.VESPO ? kernel(one) : 0;
        double[] byRatio = new double[gradients.length];
        double divergence = 0;
        for (int t = 0; t < gradients.length; t++) {
            if (!scored.completion()[t]) {
                continue;
            }
            double most = options.delta() == 0 ? ratios[t] : Math.min(ratios[t], options.delta());
            clipped.count(most, one.advantage(), options);
            if (kept && scored.entropies()[t] >= threshold) {
                Term term = term(ratios[t], one.advantage(), scored.logProbabilities()[t], kernel);
                result.add(one.weight() * term.loss());
                gradients[t] += one.weight() * term.direct();
                byRatio[t] += one.weight() * term.byRatio();
            }
            if (options.beta() > 0) {
                double d = scored.reference()[t] - scored.logProbabilities()[t];
                double own = Math.exp(d) - d - 1;
                double factor = options.correctedDivergence() ? ratios[t] : 1;
                double beta = options.beta() * one.weight();
                divergence += own * factor;
                result.add(beta * own * factor);
                gradients[t] += beta * factor * (1 - Math.exp(d));
                byRatio[t] += options.correctedDivergence() ? beta * own : 0;
            }
        }
        clipped.end(options.sequenceRatios());
        spread(scored, ratios, byRatio, gradients);
        return divergence;
    }

    /** From gradients by ρ to those by log p. */
    private void spread(ScoredSequence scored, double[] ratios, double[] byRatio, double[] gradients) {
        double sum = Arrays.stream(byRatio).sum() / Math.max(1, scored.length());
        for (int t = 0; t < gradients.length; t++) {
            if (scored.completion()[t]) {
                gradients[t] += ratios[t] * (options.sequenceRatios() ? sum : byRatio[t]);
            }
        }
    }

    /** The loss of a token with its derivatives by log p and by ρ. */
    private record Term(double loss, double direct, double byRatio) {}

    private Term term(double ratio, double advantage, double logProbability, double kernel) {
        return switch (options.loss()) {
            case CISPO -> constant(Math.min(ratio, options.epsilonHigh()) * advantage, logProbability);
            case VESPO -> constant(kernel * advantage, logProbability);
            case SAPO -> {
                double gate = advantage > 0 ? GATE_POSITIVE : GATE_NEGATIVE;
                double open = Sigmoid.of(gate * (ratio - 1));
                yield new Term(-4 * open / gate * advantage, 0, -4 * open * (1 - open) * advantage);
            }
            case GRPO, BNPO, DR_GRPO, DAPO, LUSPO -> clipped(ratio, advantage);
        };
    }

    private static Term constant(double factor, double logProbability) {
        return new Term(-factor * logProbability, -factor, 0);
    }

    private Term clipped(double ratio, double advantage) {
        boolean within = ratio >= 1 - options.epsilon() && ratio <= 1 + options.epsilonHigh();
        double cut = Math.min(Math.max(ratio, 1 - options.epsilon()), 1 + options.epsilonHigh());
        boolean below = options.delta() == 0 || ratio <= options.delta();
        double free = (below ? ratio : options.delta()) * advantage;
        double held = cut * advantage;
        double byFree = below ? -advantage : 0;
        double byHeld = within ? -advantage : 0;
        double slope = free < held ? byFree : free > held ? byHeld : (byFree + byHeld) / 2;
        return new Term(-Math.min(free, held), 0, slope);
    }

    private double[] ratios(Sequence one) {
        double[] ratios = new double[one.old().length];
        double mean = options.sequenceRatios() ? Math.exp(meanLogRatio(one)) : 0;
        for (int t = 0; t < ratios.length; t++) {
            ratios[t] = options.sequenceRatios() ? mean : Math.exp(one.scored().logProbabilities()[t] - one.old()[t]);
        }
        return ratios;
    }

    private static double meanLogRatio(Sequence one) {
        ScoredSequence scored = one.scored();
        return (scored.sum() - scored.sum(one.old())) / Math.max(1, scored.length());
    }

    private static double kernel(Sequence one) {
        double sum = 0;
        for (int t = 0; t < one.old().length; t++) {
            double ratio = one.scored().logProbabilities()[t] - one.old()[t];
            sum += one.scored().completion()[t] ? Math.max(-20, Math.min(20, ratio)) : 0;
        }
        double log = Math.max(SMALLEST_LOG_WEIGHT, Math.min(LARGEST_LOG_WEIGHT, sum));
        double k = one.advantage() >= 0 ? 2 : 3;
        double lambda = one.advantage() >= 0 ? 3 : 2;
        return Math.exp(lambda + k * log - lambda * Math.exp(log));
    }

    /** The entropy from which on a token counts: a quantile with linear interpolation. */
    private double entropyThreshold(ScoredBatch batch) {
        if (options.entropyShare() == 1) {
            return Double.NEGATIVE_INFINITY;
        }
        double[] sorted = batch.sequences().stream()
                .flatMapToDouble(one -> IntStream.range(0, one.tokens())
                        .filter(t -> one.completion()[t])
                        .mapToDouble(t -> one.entropies()[t]))
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return Double.NEGATIVE_INFINITY;
        }
        double at = (1 - options.entropyShare()) * (sorted.length - 1);
        int low = (int) at;
        double next = sorted[Math.min(sorted.length - 1, low + 1)];
        return sorted[low] + (at - low) * (next - sorted[low]);
    }

    /** Shares of tokens, or of sequences with one ratio, whose ratio is cut. */
    private static final class Clipped {
        private long low;
        private long high;
        private long largest;
        private long all;
        private long lowHere;
        private long highHere;
        private long largestHere;
        private long here;

        void count(double ratio, double advantage, GrpoOptions options) {
            here++;
            lowHere += ratio < 1 - options.epsilon() && advantage < 0 ? 1 : 0;
            highHere += ratio > 1 + options.epsilonHigh() && advantage > 0 ? 1 : 0;
            largestHere += ratio > options.epsilonHigh() && advantage > 0 ? 1 : 0;
        }

        void end(boolean once) {
            low += once ? Math.min(1, lowHere) : lowHere;
            high += once ? Math.min(1, highHere) : highHere;
            largest += once ? Math.min(1, largestHere) : largestHere;
            all += once ? 1 : here;
            lowHere = 0;
            highHere = 0;
            largestHere = 0;
            here = 0;
        }

        void report(BatchLoss result, Loss loss) {
            double count = Math.max(1, all);
            if (loss == Loss.CISPO) {
                result.metric("cispo_clip_ratio", largest / count);
            } else if (loss != Loss.SAPO && loss != Loss.VESPO) {
                result.metric("clip_ratio/low_mean", low / count);
                result.metric("clip_ratio/high_mean", high / count);
                result.metric("clip_ratio/region_mean", (low + high) / count);
            }
        }
    }

    @Override
    public String toString() {
        return "grpo " + options;
    }
}
