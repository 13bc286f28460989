package dev.pollux.finetune.merge;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.inference.engine.EngineOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How {@link MergeEvaluator} compares models. <em>Immutable.</em> */
public final class EvaluationOptions {

    /** The defaults of the builder. */
    public static final EvaluationOptions DEFAULTS = builder().build();

    private final int window;
    private final int mostTokens;
    private final List<String> prompts;
    private final int sampleTokens;
    private final EngineOptions engine;

    EvaluationOptions(int window, int mostTokens, List<String> prompts, int sampleTokens, EngineOptions engine) {
        this.window = window;
        this.mostTokens = mostTokens;
        this.prompts = List.copyOf(prompts);
        this.sampleTokens = sampleTokens;
        this.engine = engine;
        require(window >= 2 && window <= 65_536, "window", "in [2, 65536]", window);
        require(mostTokens >= 2, "mostTokens", "at least 2", mostTokens);
        require(sampleTokens >= 1 && sampleTokens <= 4096, "sampleTokens", "in [1, 4096]", sampleTokens);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Tokens in a window of the text, in [2, 65536]; default 512. Windows have no context from earlier windows. */
    public int window() {
        return window;
    }

    /** Maximum number of tokens read from the text, ≥ 2; default 16384. */
    public int mostTokens() {
        return mostTokens;
    }

    /** Prompts for greedy generation by each model; default two questions. */
    public List<String> prompts() {
        return prompts;
    }

    /** Maximum number of tokens in an answer, in [1, 4096]; default 48. */
    public int sampleTokens() {
        return sampleTokens;
    }

    /** Options of the engine that runs the models; default {@link EngineOptions#DEFAULTS}. */
    public EngineOptions engine() {
        return engine;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EvaluationOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "EvaluationOptions[window=" + window + ", mostTokens=" + mostTokens + ", prompts=" + prompts
                + ", sampleTokens=" + sampleTokens + ", engine=" + engine + "]";
    }

    private List<Object> values() {
        return List.of(window, mostTokens, prompts, sampleTokens, engine);
    }

    /** Builds {@link EvaluationOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int window = 512;
        private int mostTokens = 16_384;
        private List<String> prompts = List.of("Who are you?", "Explain what merging two models means.");
        private int sampleTokens = 48;
        private EngineOptions engine = EngineOptions.DEFAULTS;

        private Builder() {}

        /** See {@link EvaluationOptions#window()}. */
        public Builder window(int window) {
            this.window = window;
            return this;
        }

        /** See {@link EvaluationOptions#mostTokens()}. */
        public Builder mostTokens(int mostTokens) {
            this.mostTokens = mostTokens;
            return this;
        }

        /** See {@link EvaluationOptions#prompts()}. */
        public Builder prompts(List<String> prompts) {
            this.prompts = prompts;
            return this;
        }

        /** See {@link EvaluationOptions#sampleTokens()}. */
        public Builder sampleTokens(int sampleTokens) {
            this.sampleTokens = sampleTokens;
            return this;
        }

        /** See {@link EvaluationOptions#engine()}. */
        public Builder engine(EngineOptions engine) {
            this.engine = engine;
            return this;
        }

        /** Returns the options after checking every range. */
        public EvaluationOptions build() {
            return new EvaluationOptions(window, mostTokens, prompts, sampleTokens, engine);
        }
    }
}
