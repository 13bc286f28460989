package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How DPO and its relatives compare; the defaults are those of TRL. <em>Immutable.</em> */
public final class DpoOptions {

    /** The defaults of the builder. */
    public static final DpoOptions DEFAULTS = builder().build();

    private final double beta;
    private final List<Loss> losses;
    private final List<Double> weights;
    private final double labelSmoothing;
    private final double tailWeight;
    private final Divergence divergence;
    private final double divergenceAlpha;
    private final boolean isWeighted;
    private final double discopopTau;

    /** The losses, with their names in TRL in lower case. */
    public enum Loss {
        /** −log σ(x) (Rafailov et al., arXiv:2305.18290). */
        SIGMOID(true),
        /** max(0, 1 − x) (SLiC, Zhao et al., arXiv:2305.10425). */
        HINGE(true),
        /** A square of means over tokens (Azar et al., arXiv:2310.12036). */
        IPO(true),
        /** Efficient exact optimization (Ji et al., arXiv:2402.00856). */
        EXO_PAIR(true),
        /** Noise contrastive alignment (Chen et al., arXiv:2402.05369). */
        NCA_PAIR(false),
        /** Robust to pairs the wrong way round (Chowdhury et al., arXiv:2403.00409). */
        ROBUST(true),
        /** A binary classifier (Jung et al., arXiv:2404.04656). */
        BCO_PAIR(false),
        /** Self-play with hard probabilities (Wu et al., arXiv:2405.00675). */
        SPPO_HARD(false),
        /** Alignment by optimal transport, paired (Melnyk et al., arXiv:2406.05882). */
        AOT(false),
        /** Alignment by optimal transport, unpaired. */
        AOT_UNPAIRED(false),
        /** Anchored: chosen up, rejected down (D'Oosterlinck et al., arXiv:2408.06266). */
        APO_ZERO(false),
        /** Anchored: both down, rejected more. */
        APO_DOWN(false),
        /** Discovered (Lu et al., arXiv:2406.08414). */
        DISCOPOP(true),
        /** The mean of −log p over chosen completions. */
        SFT(false),
        /** −log σ of means over tokens. */
        SIGMOID_NORM(true);

        private final boolean ofScores;

        Loss(boolean ofScores) {
            this.ofScores = ofScores;
        }

        /** Whether it depends on the difference of scores, so that it can be used with every divergence. */
        public boolean isOfScores() {
            return ofScores;
        }
    }

    private DpoOptions(Builder b) {
        this.beta = b.beta;
        this.losses = List.copyOf(b.losses);
        this.weights = b.weights.isEmpty() ? Collections.nCopies(b.losses.size(), 1.0) : List.copyOf(b.weights);
        this.labelSmoothing = b.labelSmoothing;
        this.tailWeight = b.tailWeight;
        this.divergence = b.divergence;
        this.divergenceAlpha = b.divergenceAlpha;
        this.isWeighted = b.isWeighted;
        this.discopopTau = b.discopopTau;
        check();
    }

    private void check() {
        require(beta > 0, "beta", "above 0", beta);
        require(!losses.isEmpty(), "losses", "at least one", losses);
        require(weights.size() == losses.size(), "weights", "one for each of " + losses, weights);
        require(labelSmoothing >= 0 && labelSmoothing < 0.5, "labelSmoothing", "in [0, 0.5)", labelSmoothing);
        require(tailWeight >= 0 && tailWeight <= 1, "tailWeight", "in [0, 1]", tailWeight);
        require(discopopTau > 0, "discopopTau", "above 0", discopopTau);
        for (Loss loss : losses) {
            require(
                    loss != Loss.EXO_PAIR || labelSmoothing > 0,
                    "labelSmoothing",
                    "above 0 for " + loss,
                    labelSmoothing);
            require(
                    divergence == Divergence.REVERSE_KL || loss.isOfScores() || loss == Loss.SFT,
                    "divergence",
                    Divergence.REVERSE_KL + " for " + loss,
                    divergence);
            require(
                    !isWeighted || (loss != Loss.AOT && loss != Loss.AOT_UNPAIRED),
                    "isWeighted",
                    "false for " + loss,
                    isWeighted);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.beta = beta;
        b.losses = losses;
        b.weights = weights;
        b.labelSmoothing = labelSmoothing;
        b.tailWeight = tailWeight;
        b.divergence = divergence;
        b.divergenceAlpha = divergenceAlpha;
        b.isWeighted = isWeighted;
        b.discopopTau = discopopTau;
        return b;
    }

    /** The factor of rewards, above 0; default 0.1. */
    public double beta() {
        return beta;
    }

    /** The losses that are added up, at least one; default {@link Loss#SIGMOID}. */
    public List<Loss> losses() {
        return losses;
    }

    /** The factor of each loss; default 1 for each. */
    public List<Double> weights() {
        return weights;
    }

    /**
     * The share of pairs that are taken to be the wrong way round, in [0, 0.5); default 0. {@link Loss#EXO_PAIR} needs one
     * above 0.
     */
    public double labelSmoothing() {
        return labelSmoothing;
    }

    /**
     * The weight of tokens beyond the length of the shorter completion (LD-DPO, arXiv:2409.06411), in [0, 1]; default 1.
     */
    public double tailWeight() {
        return tailWeight;
    }

    /** The divergence from the reference; default {@link Divergence#REVERSE_KL}. */
    public Divergence divergence() {
        return divergence;
    }

    /** α of {@link Divergence#ALPHA_DIVERGENCE}; default 0.5. */
    public double divergenceAlpha() {
        return divergenceAlpha;
    }

    /** Whether pairs are weighted by the probability of their completions (WPO, arXiv:2406.11827); default false. */
    public boolean isWeighted() {
        return isWeighted;
    }

    /** τ of {@link Loss#DISCOPOP}, above 0; default 0.05. */
    public double discopopTau() {
        return discopopTau;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DpoOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "DpoOptions[beta=" + beta + ", losses=" + losses + ", weights=" + weights + ", labelSmoothing="
                + labelSmoothing + ", tailWeight=" + tailWeight + ", divergence=" + divergence + ", divergenceAlpha="
                + divergenceAlpha + ", isWeighted=" + isWeighted + ", discopopTau=" + discopopTau + "]";
    }

    private List<Object> values() {
        return List.of(
                beta,
                losses,
                weights,
                labelSmoothing,
                tailWeight,
                divergence,
                divergenceAlpha,
                isWeighted,
                discopopTau);
    }

    /** Builds {@link DpoOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private double beta = 0.1;
        private List<Loss> losses = List.of(Loss.SIGMOID);
        private List<Double> weights = List.of();
        private double labelSmoothing = 0;
        private double tailWeight = 1;
        private Divergence divergence = Divergence.REVERSE_KL;
        private double divergenceAlpha = 0.5;
        private boolean isWeighted = false;
        private double discopopTau = 0.05;

        private Builder() {}

        /** See {@link DpoOptions#beta()}. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** See {@link DpoOptions#losses()}. */
        public Builder losses(List<Loss> losses) {
            this.losses = losses;
            return this;
        }

        /** See {@link DpoOptions#weights()}. */
        public Builder weights(List<Double> weights) {
            this.weights = weights;
            return this;
        }

        /** See {@link DpoOptions#labelSmoothing()}. */
        public Builder labelSmoothing(double labelSmoothing) {
            this.labelSmoothing = labelSmoothing;
            return this;
        }

        /** See {@link DpoOptions#tailWeight()}. */
        public Builder tailWeight(double tailWeight) {
            this.tailWeight = tailWeight;
            return this;
        }

        /** See {@link DpoOptions#divergence()}. */
        public Builder divergence(Divergence divergence) {
            this.divergence = divergence;
            return this;
        }

        /** See {@link DpoOptions#divergenceAlpha()}. */
        public Builder divergenceAlpha(double divergenceAlpha) {
            this.divergenceAlpha = divergenceAlpha;
            return this;
        }

        /** See {@link DpoOptions#isWeighted()}. */
        public Builder isWeighted(boolean isWeighted) {
            this.isWeighted = isWeighted;
            return this;
        }

        /** See {@link DpoOptions#discopopTau()}. */
        public Builder discopopTau(double discopopTau) {
            this.discopopTau = discopopTau;
            return this;
        }

        /** Returns the options after checking every range. */
        public DpoOptions build() {
            return new DpoOptions(this);
        }
    }
}
