package dev.pollux.merge;

import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mixture of experts to be made of dense models: attention, norms and embeddings of the base, the feed-forward parts of the
 * others as experts. <em>Immutable.</em>
 *
 * @param base whose weights all experts share
 * @param experts the models whose feed-forward parts become experts, in the order of the router's rows
 * @param sharedExperts experts that every token has; only Qwen 2 has one
 * @param gateMode where the router's weights come from; default {@link GateMode#HIDDEN}
 * @param dtype number type to write; default the base's
 * @param expertsPerToken how many experts a token has, from 1; default 2
 * @param findings what was already seen to be wrong
 */
public record MixturePlan(
        ModelReference base,
        List<Expert> experts,
        List<Expert> sharedExperts,
        GateMode gateMode,
        Optional<String> dtype,
        int expertsPerToken,
        List<MergeProblem> findings) {

    /** Where the weights of the router come from. */
    public enum GateMode {
        /** The base's hidden states at the last token of each prompt, averaged; no training, and fair routing. */
        HIDDEN,
        /** The same under its other name. */
        HIDDEN_LAST,
        /** The base's hidden states, averaged over the tokens of each prompt, then over the prompts. */
        HIDDEN_AVG,
        /** The sum of the prompts' token embeddings, the same for all layers. */
        CHEAP_EMBED,
        /** Standard normal numbers, for a model that is trained afterwards. */
        RANDOM,
        /** Numbers in ±1/√width, likewise. */
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
     * An expert. <em>Immutable.</em>
     *
     * @param positivePrompts texts that should go to it
     * @param negativePrompts texts that should not
     * @param noiseScale standard deviation of noise added to its weights; default 0
     * @param residualScale what its output is multiplied by; default 1
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

        /** An expert without noise whose output is taken as it is. */
        public static Expert of(String model, List<String> positivePrompts) {
            return new Expert(ModelReference.parse(model), positivePrompts, List.of(), 0, 1);
        }
    }

    /** A builder for a mixture around {@code base}. */
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

        /** Adds an expert that every token has. */
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
