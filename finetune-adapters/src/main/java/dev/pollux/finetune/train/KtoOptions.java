package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How KTO compares; the defaults are those of TRL. <em>Immutable.</em> */
public final class KtoOptions {

    /** The defaults of the builder. */
    public static final KtoOptions DEFAULTS = builder().build();

    private final double beta;
    private final Loss loss;
    private final double desirableWeight;
    private final double undesirableWeight;

    /** The losses. */
    public enum Loss {
        /** That of the paper, with a mean over mismatched completions. */
        KTO,
        /** Anchored preference optimization without pairs (D'Oosterlinck et al., arXiv:2408.06266). */
        APO_ZERO_UNPAIRED
    }

    private KtoOptions(Builder b) {
        this.beta = b.beta;
        this.loss = b.loss;
        this.desirableWeight = b.desirableWeight;
        this.undesirableWeight = b.undesirableWeight;
        check();
    }

    private void check() {
        require(beta > 0, "beta", "above 0", beta);
        require(desirableWeight >= 0, "desirableWeight", "at least 0", desirableWeight);
        require(undesirableWeight >= 0, "undesirableWeight", "at least 0", undesirableWeight);
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
        b.desirableWeight = desirableWeight;
        b.undesirableWeight = undesirableWeight;
        return b;
    }

    /** The factor of rewards, above 0; default 0.1. */
    public double beta() {
        return beta;
    }

    /** The loss; default {@link Loss#KTO}. */
    public Loss loss() {
        return loss;
    }

    /**
     * The weight of desirable completions, at least 0; default 1. The paper advises that the weights times the numbers of
     * the two kinds are in a ratio between 1 and 4/3.
     */
    public double desirableWeight() {
        return desirableWeight;
    }

    /** The weight of undesirable completions, at least 0; default 1. */
    public double undesirableWeight() {
        return undesirableWeight;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KtoOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "KtoOptions[beta=" + beta + ", loss=" + loss + ", desirableWeight=" + desirableWeight
                + ", undesirableWeight=" + undesirableWeight + "]";
    }

    private List<Object> values() {
        return List.of(beta, loss, desirableWeight, undesirableWeight);
    }

    /** Builds {@link KtoOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private double beta = 0.1;
        private Loss loss = Loss.KTO;
        private double desirableWeight = 1;
        private double undesirableWeight = 1;

        private Builder() {}

        /** See {@link KtoOptions#beta()}. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** See {@link KtoOptions#loss()}. */
        public Builder loss(Loss loss) {
            this.loss = loss;
            return this;
        }

        /** See {@link KtoOptions#desirableWeight()}. */
        public Builder desirableWeight(double desirableWeight) {
            this.desirableWeight = desirableWeight;
            return this;
        }

        /** See {@link KtoOptions#undesirableWeight()}. */
        public Builder undesirableWeight(double undesirableWeight) {
            this.undesirableWeight = undesirableWeight;
            return this;
        }

        /** Returns the options after checking every range. */
        public KtoOptions build() {
            return new KtoOptions(this);
        }
    }
}
