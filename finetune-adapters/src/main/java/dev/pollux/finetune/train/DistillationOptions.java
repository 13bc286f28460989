package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a model learns the predictions of a teacher. The defaults are those of TRL's GKD. <em>Immutable.</em> */
public final class DistillationOptions {

    /** The defaults of the builder. */
    public static final DistillationOptions DEFAULTS = builder().build();

    private final double beta;
    private final double temperature;
    private final double supervisedWeight;

    private DistillationOptions(Builder b) {
        this.beta = b.beta;
        this.temperature = b.temperature;
        this.supervisedWeight = b.supervisedWeight;
        require(beta >= 0 && beta <= 1, "beta", "in [0, 1]", beta);
        require(temperature > 0 && Double.isFinite(temperature), "temperature", "above 0 and finite", temperature);
        require(supervisedWeight >= 0 && supervisedWeight < 1, "supervisedWeight", "in [0, 1)", supervisedWeight);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        return new Builder().beta(beta).temperature(temperature).supervisedWeight(supervisedWeight);
    }

    /**
     * The divergence, in [0, 1]: 0 for the forward KL(teacher ‖ model), which covers all that the teacher says, 1 for the reverse
     * KL(model ‖ teacher), which keeps to what the teacher says most, between them the generalized Jensen-Shannon divergence;
     * default 0.5.
     */
    public double beta() {
        return beta;
    }

    /** By what the logits of both models are divided, above 0; default 0.9. The loss is not multiplied by its square. */
    public double temperature() {
        return temperature;
    }

    /** The share of supervised fine-tuning in the loss, in [0, 1); the divergence has the rest; default 0. */
    public double supervisedWeight() {
        return supervisedWeight;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DistillationOptions that
                && beta == that.beta
                && temperature == that.temperature
                && supervisedWeight == that.supervisedWeight;
    }

    @Override
    public int hashCode() {
        return Objects.hash(beta, temperature, supervisedWeight);
    }

    @Override
    public String toString() {
        return "DistillationOptions[beta=" + beta + ", temperature=" + temperature + ", supervisedWeight="
                + supervisedWeight + "]";
    }

    /** Builds {@link DistillationOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private double beta = 0.5;
        private double temperature = 0.9;
        private double supervisedWeight = 0;

        private Builder() {}

        /** See {@link DistillationOptions#beta()}. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** See {@link DistillationOptions#temperature()}. */
        public Builder temperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /** See {@link DistillationOptions#supervisedWeight()}. */
        public Builder supervisedWeight(double supervisedWeight) {
            this.supervisedWeight = supervisedWeight;
            return this;
        }

        /** Returns the options after checking every range. */
        public DistillationOptions build() {
            return new DistillationOptions(this);
        }
    }
}
