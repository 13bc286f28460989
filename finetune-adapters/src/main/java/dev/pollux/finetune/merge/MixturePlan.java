package dev.pollux.finetune.merge;

import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The description of a mixture of experts: attention, norms and embeddings come from the base, and the feed-forward layers of
 * other dense models become the experts. <em>Immutable.</em>
 *
 * @param base the model with the shared weights
 * @param experts the experts, in the order of the router's rows
 * @param sharedExperts experts that process every token; only Qwen 2 supports one
 * @param gateMode the source of the router's weights; default {@link GateMode#HIDDEN}
 * @param dtype the type to write; default the base's
 * @param expertsPerToken the number of experts per token, ≥ 1; default 2
 * @param findings problems found when the plan was read
 */
public record MixturePlan(
        ModelReference base,
        List<Expert> experts,
        List<Expert> sharedExperts,
        GateMode gateMode,
        Optional<String> dtype,
        int expertsPerToken,
        List<MergeProblem> findings) {

    /** The source of the router's weights. */
    public enum GateMode {
        /** The mean of the base's hidden states at the last token of each prompt. */
        HIDDEN,
        /** An alias of {@link #HIDDEN}. */
        HIDDEN_LAST,
        /** The base's hidden states, averaged over the tokens of each prompt, then over the prompts. */
        HIDDEN_AVG,
        /** The sum of the prompts' token embeddings, the same for all layers. */
        CHEAP_EMBED,
        /** Standard normal numbers, for a mixture that is trained afterwards. */
        RANDOM,
        /** Uniform numbers in ±1/√width, for a mixture that is trained afterwards. */
        UNIFORM_RANDOM;

        /** Whether experts need prompts. */
        boolean readsPrompts() {
            return this != RANDOM && this != UNIFORM_RANDOM;
        }

        boolean readsHiddenStates() {
            return this == HIDDEN || this == HIDDEN_LAST || this == HIDDEN_AVG;
        }
    }

    public MixturePlan {
        experts = List.copyOf(experts);
        sharedExperts = List.copyOf(sharedExperts);
        findings = List.copyOf(findings);
        if (expertsPerToken < 1) {
            throw new IllegalArgumentException("expertsPerToken must be at least 1 but was " + expertsPerToken);
        }
    }

    /**
     * One expert. <em>Immutable.</em>
     *
     * @param positivePrompts texts that the router should send to it
     * @param negativePrompts texts that the router should not send to it
     * @param noiseScale the standard deviation of the noise added to its weights; default 0
     * @param residualScale the factor of its output; default 1
     */
    public record Expert(
            ModelReference model,
            List<String> positivePrompts,
            List<String> negativePrompts,
            double noiseScale,
            double residualScale) {

        public Expert {
            positivePrompts = List.copyOf(positivePrompts);
            negativePrompts = List.copyOf(negativePrompts);
            Weights.finite("noiseScale", noiseScale);
            Weights.finite("residualScale", residualScale);
        }

        /** Returns an expert without noise and with a residual scale of 1. */
        public static Expert of(String model, List<String> positivePrompts) {
            return new Expert(ModelReference.parse(model), positivePrompts, List.of(), 0, 1);
        }
    }

    /** Returns a builder for a mixture with the shared weights of {@code base}. */
    public static Builder builder(String base) {
        return new Builder(ModelReference.parse(base));
    }

    /** Builds a {@link MixturePlan}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private final ModelReference base;
        private final List<Expert> experts = new ArrayList<>();
        private final List<Expert> sharedExperts = new ArrayList<>();
        private GateMode gateMode = GateMode.HIDDEN;
        private Optional<String> dtype = Optional.empty();
        private int expertsPerToken = 2;

        private Builder(ModelReference base) {
            this.base = base;
        }

        /** Adds an expert. */
        public Builder expert(Expert expert) {
            experts.add(expert);
            return this;
        }

        /** Adds an expert that processes every token. */
        public Builder sharedExpert(Expert expert) {
            sharedExperts.add(expert);
            return this;
        }

        /** See {@link MixturePlan#gateMode()}. */
        public Builder gateMode(GateMode gateMode) {
            this.gateMode = gateMode;
            return this;
        }

        /** See {@link MixturePlan#dtype()}. */
        public Builder dtype(String dtype) {
            this.dtype = Optional.of(dtype);
            return this;
        }

        /** See {@link MixturePlan#expertsPerToken()}. */
        public Builder expertsPerToken(int expertsPerToken) {
            this.expertsPerToken = expertsPerToken;
            return this;
        }

        /** The plan. */
        public MixturePlan build() {
            return new MixturePlan(base, experts, sharedExperts, gateMode, dtype, expertsPerToken, List.of());
        }
    }
}
