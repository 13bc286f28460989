package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a model is trained by rewards of its own completions. Names in parentheses are those of TRL. <em>Immutable.</em> */
public final class GrpoOptions {

    /** The defaults of the builder. */
    public static final GrpoOptions DEFAULTS = builder().build();

    /** What is minimized; ρ is the ratio of the probabilities of a token after and before the step, A its advantage. */
    public enum Loss {
        /** Clipped ratios, averaged by sequences (Shao et al., arXiv:2402.03300). */
        GRPO,
        /** Clipped ratios, averaged over the tokens of a micro-batch. */
        BNPO,
        /** Clipped ratios, over the largest length (Liu et al., arXiv:2503.20783). */
        DR_GRPO,
        /** Clipped ratios, averaged over the tokens of a step (Yu et al., arXiv:2503.14476). */
        DAPO,
        /** min(ρ, ε<sub>high</sub>) A log p with a constant ratio (arXiv:2506.13585). */
        CISPO,
        /** A smooth gate in place of the cut (arXiv:2511.20347). */
        SAPO,
        /** Clipped ratios, summed over sequences (arXiv:2602.05261). */
        LUSPO,
        /** Weights of sequences by a gamma kernel (arXiv:2602.10693). */
        VESPO
    }

    /** How rewards become advantages. */
    public enum Scaling {
        /** Less the mean, over the standard deviation, of the completions of a prompt. */
        GROUP,
        /** Less the mean of the completions of a prompt, over the standard deviation of all. */
        BATCH,
        /** Less the mean of the completions of a prompt. */
        NONE,
        /** Less the mean of the other completions of a prompt (RLOO, arXiv:2402.14740). */
        LEAVE_ONE_OUT
    }

    private final Loss loss;
    private final Scaling scaling;
    private final double beta;
    private final double epsilon;
    private final double epsilonHigh;
    private final double delta;
    private final boolean sequenceRatios;
    private final boolean correctedDivergence;
    private final double offPolicyThreshold;
    private final double entropyShare;
    private final int completions;
    private final int maxTokens;
    private final double temperature;

    private GrpoOptions(Builder b) {
        this.loss = b.loss;
        this.scaling = b.scaling;
        this.beta = b.beta;
        this.epsilon = b.epsilon;
        this.epsilonHigh = b.epsilonHigh;
        this.delta = b.delta;
        this.sequenceRatios = b.sequenceRatios;
        this.correctedDivergence = b.correctedDivergence;
        this.offPolicyThreshold = b.offPolicyThreshold;
        this.entropyShare = b.entropyShare;
        this.completions = b.completions;
        this.maxTokens = b.maxTokens;
        this.temperature = b.temperature;
        require(beta >= 0 && Double.isFinite(beta), "beta", "at least 0 and finite", beta);
        require(epsilon > 0 && epsilon < 1, "epsilon", "in (0, 1)", epsilon);
        require(epsilonHigh > 0, "epsilonHigh", "above 0", epsilonHigh);
        require(delta == 0 || delta > 1, "delta", "0 or above 1", delta);
        require(entropyShare > 0 && entropyShare <= 1, "entropyShare", "in (0, 1]", entropyShare);
        require(completions >= 2, "completions", "at least 2", completions);
        require(maxTokens >= 1, "maxTokens", "at least 1", maxTokens);
        require(temperature > 0 && Double.isFinite(temperature), "temperature", "above 0 and finite", temperature);
        require(
                !sequenceRatios || loss != Loss.CISPO && loss != Loss.SAPO && loss != Loss.VESPO,
                "sequenceRatios",
                "false for CISPO, SAPO and VESPO",
                sequenceRatios);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The loss ({@code loss_type}); default {@link Loss#DAPO}. */
    public Loss loss() {
        return loss;
    }

    /** How rewards become advantages ({@code scale_rewards}); default {@link Scaling#GROUP}. */
    public Scaling scaling() {
        return scaling;
    }

    /** The factor of the divergence from the reference ({@code beta}), at least 0; default 0, without a reference. */
    public double beta() {
        return beta;
    }

    /** The distance from 1 below which a ratio is cut ({@code epsilon}), in (0, 1); default 0.2. */
    public double epsilon() {
        return epsilon;
    }

    /** The distance from 1 above which a ratio is cut ({@code epsilon_high}), above 0; default 0.2. For {@link Loss#CISPO} the largest ratio itself. */
    public double epsilonHigh() {
        return epsilonHigh;
    }

    /** The largest ratio for negative advantages ({@code delta}); default 0 for none. */
    public double delta() {
        return delta;
    }

    /** Whether a sequence has one ratio, the geometric mean of those of its tokens ({@code importance_sampling_level}); default false. */
    public boolean sequenceRatios() {
        return sequenceRatios;
    }

    /** Whether the divergence is multiplied by the ratio ({@code use_bias_correction_kl}); default true. */
    public boolean correctedDivergence() {
        return correctedDivergence;
    }

    /** Sequences with a negative advantage are left out if their mean log ratio of old to new is larger ({@code off_policy_mask_threshold}); default no limit. */
    public double offPolicyThreshold() {
        return offPolicyThreshold;
    }

    /** The share of tokens, those of the largest entropy, that have a gradient of the advantage ({@code top_entropy_quantile}), in (0, 1]; default 1. */
    public double entropyShare() {
        return entropyShare;
    }

    /** Completions of each prompt ({@code num_generations}), at least 2; default 8. */
    public int completions() {
        return completions;
    }

    /** The most tokens of a completion ({@code max_completion_length}), at least 1; default 256. */
    public int maxTokens() {
        return maxTokens;
    }

    /** The temperature of sampling, above 0; default 1. */
    public double temperature() {
        return temperature;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GrpoOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "GrpoOptions" + values();
    }

    private List<Object> values() {
        return List.of(
                loss,
                scaling,
                beta,
                epsilon,
                epsilonHigh,
                delta,
                sequenceRatios,
                correctedDivergence,
                offPolicyThreshold,
                entropyShare,
                completions,
                maxTokens,
                temperature);
    }

    /** Builds {@link GrpoOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Loss loss = Loss.DAPO;
        private Scaling scaling = Scaling.GROUP;
        private double beta = 0;
        private double epsilon = 0.2;
        private double epsilonHigh = 0.2;
        private double delta = 0;
        private boolean sequenceRatios = false;
        private boolean correctedDivergence = true;
        private double offPolicyThreshold = Double.POSITIVE_INFINITY;
        private double entropyShare = 1;
        private int completions = 8;
        private int maxTokens = 256;
        private double temperature = 1;

        private Builder() {}

        /** See {@link GrpoOptions#loss()}. */
        public Builder loss(Loss loss) {
            this.loss = loss;
            return this;
        }

        /** See {@link GrpoOptions#scaling()}. */
        public Builder scaling(Scaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /** See {@link GrpoOptions#beta()}. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** See {@link GrpoOptions#epsilon()}. */
        public Builder epsilon(double epsilon) {
            this.epsilon = epsilon;
            return this;
        }

        /** See {@link GrpoOptions#epsilonHigh()}. */
        public Builder epsilonHigh(double epsilonHigh) {
            this.epsilonHigh = epsilonHigh;
            return this;
        }

        /** See {@link GrpoOptions#delta()}. */
        public Builder delta(double delta) {
            this.delta = delta;
            return this;
        }

        /** See {@link GrpoOptions#sequenceRatios()}. */
        public Builder sequenceRatios(boolean sequenceRatios) {
            this.sequenceRatios = sequenceRatios;
            return this;
        }

        /** See {@link GrpoOptions#correctedDivergence()}. */
        public Builder correctedDivergence(boolean correctedDivergence) {
            this.correctedDivergence = correctedDivergence;
            return this;
        }

        /** See {@link GrpoOptions#offPolicyThreshold()}. */
        public Builder offPolicyThreshold(double offPolicyThreshold) {
            this.offPolicyThreshold = offPolicyThreshold;
            return this;
        }

        /** See {@link GrpoOptions#entropyShare()}. */
        public Builder entropyShare(double entropyShare) {
            this.entropyShare = entropyShare;
            return this;
        }

        /** See {@link GrpoOptions#completions()}. */
        public Builder completions(int completions) {
            this.completions = completions;
            return this;
        }

        /** See {@link GrpoOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = maxTokens;
            return this;
        }

        /** See {@link GrpoOptions#temperature()}. */
        public Builder temperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /** The options; {@link IllegalArgumentException} if a value is out of its range. */
        public GrpoOptions build() {
            return new GrpoOptions(this);
        }
    }
}
