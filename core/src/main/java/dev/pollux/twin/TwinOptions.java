package dev.pollux.twin;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.generation.GenerationOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a {@link Twin} retrieves, quotes, writes and checks. <em>Immutable.</em> */
public final class TwinOptions {

    /** Whether the model writes the answer. */
    public enum Style {
        /** Writes if the generator is able to ({@link WritingAbility}); otherwise quotes. */
        AUTO,
        /** Quotes only; the model is never called. */
        QUOTE,
        /** Writes; a twin without a generator is refused. Sentences that fail the check are still replaced by quotes. */
        WRITE
    }

    /** {@link Style#AUTO}, at most three quotes, greedy generation. */
    public static final TwinOptions DEFAULTS = builder().build();

    private final Style style;
    private final int topK;
    private final int maxEvidence;
    private final double minScore;
    private final double minOverlap;
    private final double minSupport;
    private final double minGroundedness;
    private final double historyShare;
    private final String unknownText;
    private final GenerationOptions generation;

    TwinOptions(
            Style style,
            int topK,
            int maxEvidence,
            double minScore,
            double minOverlap,
            double minSupport,
            double minGroundedness,
            double historyShare,
            String unknownText,
            GenerationOptions generation) {
        this.style = style;
        this.topK = topK;
        this.maxEvidence = maxEvidence;
        this.minScore = minScore;
        this.minOverlap = minOverlap;
        this.minSupport = minSupport;
        this.minGroundedness = minGroundedness;
        this.historyShare = historyShare;
        this.unknownText = unknownText;
        this.generation = generation;
        require(topK >= 1 && topK <= 100, "topK", "in [1, 100]", topK);
        require(maxEvidence >= 1 && maxEvidence <= 20, "maxEvidence", "in [1, 20]", maxEvidence);
        requireShare("minScore", minScore);
        requireShare("minOverlap", minOverlap);
        requireShare("minSupport", minSupport);
        requireShare("minGroundedness", minGroundedness);
        requireShare("historyShare", historyShare);
        require(!unknownText.isBlank(), "unknownText", "a sentence", "'" + unknownText + "'");
    }

    private static void requireShare(String name, double value) {
        require(value >= 0 && value <= 1, name, "in [0, 1]", value);
    }

    /** Returns a builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns a builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.style = style;
        b.topK = topK;
        b.maxEvidence = maxEvidence;
        b.minScore = minScore;
        b.minOverlap = minOverlap;
        b.minSupport = minSupport;
        b.minGroundedness = minGroundedness;
        b.historyShare = historyShare;
        b.unknownText = unknownText;
        b.generation = generation;
        return b;
    }

    /** Whether the model writes; default {@link Style#AUTO}. */
    public Style style() {
        return style;
    }

    /** Number of passages to retrieve, in [1, 100]; default 8. */
    public int topK() {
        return topK;
    }

    /** Maximum number of quoted sentences, in [1, 20]; default 3. */
    public int maxEvidence() {
        return maxEvidence;
    }

    /**
     * Minimum {@link Evidence#score()} of a relevant sentence, in [0, 1], for a twin with an embedder; default 0.42. If no
     * sentence reaches it, the answer is {@link Answer.Kind#UNKNOWN}.
     *
     * <p>Error rates at the default, with the embedder's {@linkplain dev.pollux.embedding.SimilarityScale scale}: about
     * 13 % of the questions that are close to the documents but not answered there pass the threshold; about 4 % of the
     * answered questions fail it.
     */
    public double minScore() {
        return minScore;
    }

    /**
     * Minimum {@link Evidence#score()} for a twin without an embedder, or with one that does not read the question's
     * language; default 0.39. The score is then the {@linkplain Evidence#score() overlap} of words alone, which separates
     * less well: the error rates of {@link #minScore()} become 18 % and 5 %.
     */
    public double minOverlap() {
        return minOverlap;
    }

    /**
     * Minimum share of a written sentence's words that its source contains, in [0, 1]; default 0.75. Each other word must
     * occur in no passage and must not replace a word of the source.
     */
    public double minSupport() {
        return minSupport;
    }

    /**
     * Minimum {@link Answer#groundedness()} of a written answer, in [0, 1]; default 0.5. Below it, the quotes are appended
     * to the supported sentences.
     */
    public double minGroundedness() {
        return minGroundedness;
    }

    /**
     * Maximum share of the prompt's token budget for the earlier turns of a {@link Conversation}, in [0, 1]; default 0.25.
     */
    public double historyShare() {
        return historyShare;
    }

    /** The answer if nothing relevant is found; not blank. */
    public String unknownText() {
        return unknownText;
    }

    /**
     * Generation options of the model; default greedy with at most 256 tokens. The answer uses at most half of the model's
     * context.
     */
    public GenerationOptions generation() {
        return generation;
    }

    /** Returns whether {@code other} has equal options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TwinOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "TwinOptions[style=" + style + ", topK=" + topK + ", maxEvidence=" + maxEvidence + ", minScore="
                + minScore + ", minOverlap=" + minOverlap + ", minSupport=" + minSupport + ", minGroundedness="
                + minGroundedness + ", historyShare=" + historyShare + ", unknownText=" + unknownText + ", generation="
                + generation + "]";
    }

    private List<Object> values() {
        return List.of(
                style,
                topK,
                maxEvidence,
                minScore,
                minOverlap,
                minSupport,
                minGroundedness,
                historyShare,
                unknownText,
                generation);
    }

    /** Builds {@link TwinOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Style style = Style.AUTO;
        private int topK = 8;
        private int maxEvidence = 3;
        private double minScore = 0.42;
        private double minOverlap = 0.39;
        private double minSupport = 0.75;
        private double minGroundedness = 0.5;
        private double historyShare = 0.25;
        private String unknownText = "I do not know: the documents say nothing about it.";
        private GenerationOptions generation =
                GenerationOptions.builder().maxTokens(256).build();

        private Builder() {}

        /** See {@link TwinOptions#style()}. */
        public Builder style(Style style) {
            this.style = style;
            return this;
        }

        /** See {@link TwinOptions#topK()}. */
        public Builder topK(int topK) {
            this.topK = topK;
            return this;
        }

        /** See {@link TwinOptions#maxEvidence()}. */
        public Builder maxEvidence(int maxEvidence) {
            this.maxEvidence = maxEvidence;
            return this;
        }

        /** See {@link TwinOptions#minScore()}. */
        public Builder minScore(double minScore) {
            this.minScore = minScore;
            return this;
        }

        /** See {@link TwinOptions#minOverlap()}. */
        public Builder minOverlap(double minOverlap) {
            this.minOverlap = minOverlap;
            return this;
        }

        /** See {@link TwinOptions#minSupport()}. */
        public Builder minSupport(double minSupport) {
            this.minSupport = minSupport;
            return this;
        }

        /** See {@link TwinOptions#minGroundedness()}. */
        public Builder minGroundedness(double minGroundedness) {
            this.minGroundedness = minGroundedness;
            return this;
        }

        /** See {@link TwinOptions#historyShare()}. */
        public Builder historyShare(double historyShare) {
            this.historyShare = historyShare;
            return this;
        }

        /** See {@link TwinOptions#unknownText()}. */
        public Builder unknownText(String unknownText) {
            this.unknownText = unknownText;
            return this;
        }

        /** See {@link TwinOptions#generation()}. */
        public Builder generation(GenerationOptions generation) {
            this.generation = generation;
            return this;
        }

        /**
         * Returns the options.
         *
         * @throws IllegalArgumentException if a value is out of its range
         */
        public TwinOptions build() {
            return new TwinOptions(
                    style,
                    topK,
                    maxEvidence,
                    minScore,
                    minOverlap,
                    minSupport,
                    minGroundedness,
                    historyShare,
                    unknownText,
                    generation);
        }
    }
}
