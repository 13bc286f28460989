package dev.pollux.generation;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is chosen and when to stop. <em>Immutable.</em>
 *
 * <p>Order of work on the logits: bias, repetition penalty, presence and frequency penalty, temperature, top-k, top-p,
 * min-p, typical-p, draw. With temperature 0 the best token is taken (greedy) and the cuts are idle.
 */
public final class GenerationOptions {

    /** Greedy, at most 512 tokens: the same answer to the same prompt. */
    public static final GenerationOptions DEFAULTS = builder().build();

    /**
     * Temperature 0.7 and min-p 0.05: for conversations with a model of which no sampling is published. Greedy decoding
     * repeats itself with small models; a min-p keeps out what is improbable beside the best token, at any temperature.
     */
    public static final GenerationOptions SAMPLED =
            builder().temperature(0.7).minP(0.05).build();

    private final int maxTokens;
    private final double temperature;
    private final int topK;
    private final double topP;
    private final double minP;
    private final double typicalP;
    private final double repetitionPenalty;
    private final double presencePenalty;
    private final double frequencyPenalty;
    private final Map<Integer, Float> logitBias;
    private final OptionalLong seed;
    private final List<String> stop;

    GenerationOptions(
            int maxTokens,
            double temperature,
            int topK,
            double topP,
            double minP,
            double typicalP,
            double repetitionPenalty,
            double presencePenalty,
            double frequencyPenalty,
            Map<Integer, Float> logitBias,
            OptionalLong seed,
            List<String> stop) {
        this.maxTokens = maxTokens;
        this.temperature = temperature;
        this.topK = topK;
        this.topP = topP;
        this.minP = minP;
        this.typicalP = typicalP;
        this.repetitionPenalty = repetitionPenalty;
        this.presencePenalty = presencePenalty;
        this.frequencyPenalty = frequencyPenalty;
        this.logitBias = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(logitBias)));
        this.seed = seed;
        this.stop = List.copyOf(stop);
        require(maxTokens >= 1, "maxTokens", "at least 1", maxTokens);
        require(temperature >= 0 && temperature <= 100, "temperature", "in [0, 100]", temperature);
        require(topK >= 0, "topK", "at least 0 (0 keeps all)", topK);
        require(topP > 0 && topP <= 1, "topP", "in (0, 1]", topP);
        require(minP >= 0 && minP <= 1, "minP", "in [0, 1]", minP);
        require(typicalP > 0 && typicalP <= 1, "typicalP", "in (0, 1]", typicalP);
        require(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetitionPenalty",
                "in (0, 100]",
                repetitionPenalty);
        require(Math.abs(presencePenalty) <= 100, "presencePenalty", "in [-100, 100]", presencePenalty);
        require(Math.abs(frequencyPenalty) <= 100, "frequencyPenalty", "in [-100, 100]", frequencyPenalty);
        require(stop.stream().noneMatch(String::isEmpty), "stop", "free of empty strings", stop);
    }

    private static void require(boolean holds, String name, String rule, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " must be " + rule + " but was " + value);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.maxTokens = maxTokens;
        b.temperature = temperature;
        b.topK = topK;
        b.topP = topP;
        b.minP = minP;
        b.typicalP = typicalP;
        b.repetitionPenalty = repetitionPenalty;
        b.presencePenalty = presencePenalty;
        b.frequencyPenalty = frequencyPenalty;
        b.logitBias = logitBias;
        b.seed = seed;
        b.stop = stop;
        return b;
    }

    /** Most tokens to produce, in [1, 2^31 - 1]; default 512. */
    public int maxTokens() {
        return maxTokens;
    }

    /** Divides the logits, in [0, 100]; 0 is greedy; default 0. */
    public double temperature() {
        return temperature;
    }

    /** Keep the k best tokens and all equal to the k-th, at least 0; 0 keeps all; default 0. */
    public int topK() {
        return topK;
    }

    /**
     * Nucleus: keep the smallest set of best tokens that reaches this mass, in (0, 1]; default 1 (Holtzman et al.,
     * arXiv:1904.09751).
     */
    public double topP() {
        return topP;
    }

    /**
     * Drop tokens less probable than this share of the best, in [0, 1]; default 0 (Nguyen et al., arXiv:2407.01082).
     */
    public double minP() {
        return minP;
    }

    /**
     * Keep the tokens of most typical surprise up to this mass, in (0, 1]; default 1 (Meister et al.,
     * arXiv:2202.00666).
     */
    public double typicalP() {
        return typicalP;
    }

    /**
     * Divides positive and multiplies negative logits of tokens in prompt and output, in (0, 100]; default 1 (Keskar
     * et al., arXiv:1909.05858).
     */
    public double repetitionPenalty() {
        return repetitionPenalty;
    }

    /** Subtracted once from the logit of every token already produced, in [-100, 100]; default 0. */
    public double presencePenalty() {
        return presencePenalty;
    }

    /** Subtracted from a token's logit as often as it was produced, in [-100, 100]; default 0. */
    public double frequencyPenalty() {
        return frequencyPenalty;
    }

    /** Added to the logits of these token ids; default none. */
    public Map<Integer, Float> logitBias() {
        return logitBias;
    }

    /** Makes the draw repeatable; absent: a new one each time. */
    public OptionalLong seed() {
        return seed;
    }

    /** Strings that end the text and are not part of it; default none. */
    public List<String> stop() {
        return stop;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GenerationOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "GenerationOptions[maxTokens=" + maxTokens + ", temperature=" + temperature + ", topK=" + topK
                + ", topP=" + topP + ", minP=" + minP + ", typicalP=" + typicalP + ", repetitionPenalty="
                + repetitionPenalty + ", presencePenalty=" + presencePenalty + ", frequencyPenalty=" + frequencyPenalty
                + ", logitBias=" + logitBias + ", seed=" + seed + ", stop=" + stop + "]";
    }

    private List<Object> values() {
        return List.of(
                maxTokens,
                temperature,
                topK,
                topP,
                minP,
                typicalP,
                repetitionPenalty,
                presencePenalty,
                frequencyPenalty,
                logitBias,
                seed,
                stop);
    }

    /** Builds {@link GenerationOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int maxTokens = 512;
        private double temperature;
        private int topK;
        private double topP = 1;
        private double minP;
        private double typicalP = 1;
        private double repetitionPenalty = 1;
        private double presencePenalty;
        private double frequencyPenalty;
        private Map<Integer, Float> logitBias = Map.of();
        private OptionalLong seed = OptionalLong.empty();
        private List<String> stop = List.of();

        private Builder() {}

        /** See {@link GenerationOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = maxTokens;
            return this;
        }

        /** See {@link GenerationOptions#temperature()}. */
        public Builder temperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /** See {@link GenerationOptions#topK()}. */
        public Builder topK(int topK) {
            this.topK = topK;
            return this;
        }

        /** See {@link GenerationOptions#topP()}. */
        public Builder topP(double topP) {
            this.topP = topP;
            return this;
        }

        /** See {@link GenerationOptions#minP()}. */
        public Builder minP(double minP) {
            this.minP = minP;
            return this;
        }

        /** See {@link GenerationOptions#typicalP()}. */
        public Builder typicalP(double typicalP) {
            this.typicalP = typicalP;
            return this;
        }

        /** See {@link GenerationOptions#repetitionPenalty()}. */
        public Builder repetitionPenalty(double repetitionPenalty) {
            this.repetitionPenalty = repetitionPenalty;
            return this;
        }

        /** See {@link GenerationOptions#presencePenalty()}. */
        public Builder presencePenalty(double presencePenalty) {
            this.presencePenalty = presencePenalty;
            return this;
        }

        /** See {@link GenerationOptions#frequencyPenalty()}. */
        public Builder frequencyPenalty(double frequencyPenalty) {
            this.frequencyPenalty = frequencyPenalty;
            return this;
        }

        /** See {@link GenerationOptions#logitBias()}. */
        public Builder logitBias(Map<Integer, Float> logitBias) {
            this.logitBias = logitBias;
            return this;
        }

        /** See {@link GenerationOptions#seed()}. */
        public Builder seed(long seed) {
            this.seed = OptionalLong.of(seed);
            return this;
        }

        /** See {@link GenerationOptions#stop()}. */
        public Builder stop(List<String> stop) {
            this.stop = stop;
            return this;
        }

        /** See {@link GenerationOptions#stop()}. */
        public Builder stop(String... stop) {
            return stop(List.of(stop));
        }

        /** The options; checks every range. */
        public GenerationOptions build() {
            return new GenerationOptions(
                    maxTokens,
                    temperature,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repetitionPenalty,
                    presencePenalty,
                    frequencyPenalty,
                    logitBias,
                    seed,
                    stop);
        }
    }
}
