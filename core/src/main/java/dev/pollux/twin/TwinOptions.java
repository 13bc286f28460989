package dev.pollux.twin;

import dev.pollux.generation.GenerationOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a {@link Twin} finds, quotes, writes and checks. <em>Immutable.</em> */
public final class TwinOptions {

    /** When the model is asked to write. */
    public enum Style {
        /** Writes where the twin has a generator that can ({@link WritingAbility}), else quotes. */
        AUTO,
        /** Quotes; the model is never asked. */
        QUOTE,
        /** Writes; a twin without a generator is refused. What does not pass the check gives way to quotes here too. */
        WRITE
    }

    /** Writes where the model can, three quotes, greedy. */
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

    /** Whether it writes; default {@link Style#AUTO}. */
    public Style style() {
        return style;
    }

    /** Passages to retrieve, in [1, 100]; default 8. */
    public int topK() {
        return topK;
    }

    /** Most sentences to quote, in [1, 20]; default 3. */
    public int maxEvidence() {
        return maxEvidence;
    }

    /**
     * Least {@link Evidence#score()} of a sentence that counts as relevant, in [0, 1], where the twin has an embedder;
     * where no sentence reaches it, the twin does not know; default 0.42. With the
     * {@linkplain dev.pollux.embedding.SimilarityScale scale} of the embedder, of questions that come near to the documents
     * and are not answered there some 13 in 100 pass it, of questions that are answered some 4 in 100 do not.
     */
    public double minScore() {
        return minScore;
    }

    /**
     * The same where it has none, or one that does not read the question's language, and the score is the
     * {@linkplain Evidence#score() overlap} of words alone; default 0.39: words tell less, 18 in 100 and 5 in 100.
     */
    public double minOverlap() {
        return minOverlap;
    }

    /**
     * Least share of a written sentence's words that its source must hold, in [0, 1]; the others may stand in no
     * passage and in no word's place; default 0.75.
     */
    public double minSupport() {
        return minSupport;
    }

    /**
     * Where less than this share of the model's text is supported, in [0, 1], the quotes follow what is; default
     * 0.5.
     */
    public double minGroundedness() {
        return minGroundedness;
    }

    /**
     * Most of the model's room for the prompt that the turns of a {@link Conversation} may take, in [0, 1]; default
     * 0.25.
     */
    public double historyShare() {
        return historyShare;
    }

    /** What to say where nothing relevant is found; not blank. */
    public String unknownText() {
        return unknownText;
    }

    /**
     * How the model writes; default greedy, at most 256 tokens. At most half of the model's context is used for the
     * answer.
     */
    public GenerationOptions generation() {
        return generation;
    }

    /** Whether another has the same options. */
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

        /** The options; checks every range. */
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
