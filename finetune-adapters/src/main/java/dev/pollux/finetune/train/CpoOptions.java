package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How CPO and SimPO compare; the defaults are those of TRL. <em>Immutable.</em> */
public final class CpoOptions {

    /** The defaults of the builder. */
    public static final CpoOptions DEFAULTS = builder().build();

    private final double beta;
    private final Loss loss;
    private final double labelSmoothing;
    private final double likelihoodWeight;
    private final double gamma;
    private final double alpha;

    /** The losses of the difference of rewards. */
    public enum Loss {
        /** −log σ. */
        SIGMOID,
        /** max(0, 1 − x). */
        HINGE,
        /** A square (Azar et al., arXiv:2310.12036). */
        IPO,
        /** −log σ of means over tokens with a margin (Meng et al., arXiv:2405.14734). */
        SIMPO
    }

    private CpoOptions(Builder b) {
        this.beta = b.beta;
        this.loss = b.loss;
        this.labelSmoothing = b.labelSmoothing;
        this.likelihoodWeight = b.likelihoodWeight;
        this.gamma = b.gamma;
        this.alpha = b.alpha;
        check();
    }

    private void check() {
        require(beta > 0, "beta", "above 0", beta);
        require(labelSmoothing >= 0 && labelSmoothing < 0.5, "labelSmoothing", "in [0, 0.5)", labelSmoothing);
        require(likelihoodWeight >= 0, "likelihoodWeight", "at least 0", likelihoodWeight);
        require(gamma >= 0, "gamma", "at least 0", gamma);
        require(Double.isFinite(alpha), "alpha", "finite", alpha);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.beta = beta;
        b.loss = loss;
        b.labelSmoothing = labelSmoothing;
        b.likelihoodWeight = likelihoodWeight;
        b.gamma = gamma;
        b.alpha = alpha;
        return b;
    }

    /** The factor of the difference of rewards, above 0; default 0.1. */
    public double beta() {
        return beta;
    }

    /** The loss; default {@link Loss#SIGMOID}. */
    public Loss loss() {
        return loss;
    }

    /** The share of pairs that are taken to be the wrong way round, in [0, 0.5); default 0. */
    public double labelSmoothing() {
        return labelSmoothing;
    }

    /** The factor of the mean of −log p over chosen completions, at least 0; default 1. */
    public double likelihoodWeight() {
        return likelihoodWeight;
    }

    /** The margin γ of SimPO, at least 0; default 0.5. */
    public double gamma() {
        return gamma;
    }

    /** α of AlphaPO, whose rewards are (1 − p^−α) / α; default 0 for log p. */
    public double alpha() {
        return alpha;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CpoOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "CpoOptions[beta=" + beta + ", loss=" + loss + ", labelSmoothing=" + labelSmoothing
                + ", likelihoodWeight=" + likelihoodWeight + ", gamma=" + gamma + ", alpha=" + alpha + "]";
    }

    private List<Object> values() {
        return List.of(beta, loss, labelSmoothing, likelihoodWeight, gamma, alpha);
    }

    /** Builds {@link CpoOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private double beta = 0.1;
        private Loss loss = Loss.SIGMOID;
        private double labelSmoothing = 0;
        private double likelihoodWeight = 1;
        private double gamma = 0.5;
        private double alpha = 0;

        private Builder() {}

        /** See {@link CpoOptions#beta()}. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** See {@link CpoOptions#loss()}. */
        public Builder loss(Loss loss) {
            this.loss = loss;
            return this;
        }

        /** See {@link CpoOptions#labelSmoothing()}. */
        public Builder labelSmoothing(double labelSmoothing) {
            this.labelSmoothing = labelSmoothing;
            return this;
        }

        /** See {@link CpoOptions#likelihoodWeight()}. */
        public Builder likelihoodWeight(double likelihoodWeight) {
            this.likelihoodWeight = likelihoodWeight;
            return this;
        }

        /** See {@link CpoOptions#gamma()}. */
        public Builder gamma(double gamma) {
            this.gamma = gamma;
            return this;
        }

        /** See {@link CpoOptions#alpha()}. */
        public Builder alpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /** Returns the options after checking every range. */
        public CpoOptions build() {
            return new CpoOptions(this);
        }
    }
}
