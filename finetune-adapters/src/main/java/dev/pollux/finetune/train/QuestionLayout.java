package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How questions about passages become conversations to train on: the passage in the prompt of a twin, then questions and answers
 * in turns. <em>Immutable.</em>
 */
public final class QuestionLayout {

    /** The defaults of the builder. */
    public static final QuestionLayout DEFAULTS = builder().build();

    private final int questions;
    private final double unanswerable;
    private final int longestPassage;
    private final boolean literal;
    private final long seed;

    private QuestionLayout(Builder b) {
        this.questions = b.questions;
        this.unanswerable = b.unanswerable;
        this.longestPassage = b.longestPassage;
        this.literal = b.literal;
        this.seed = b.seed;
        require(questions >= 1, "questions", "at least 1", questions);
        require(unanswerable >= 0 && unanswerable <= 10, "unanswerable", "in [0, 10]", unanswerable);
        require(longestPassage >= 1, "longestPassage", "at least 1", longestPassage);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The most answerable questions about one passage in a row, at least 1; default 1. */
    public int questions() {
        return questions;
    }

    /**
     * Questions about other passages, whose answer is that they are not in the sources, for each answerable question, in
     * [0, 10]; default 0. They are put among the others of a row at random, each once; a third of them are chosen because they
     * share many words with the passage.
     */
    public double unanswerable() {
        return unanswerable;
    }

    /** The most characters of a passage; longer ones are left out; default no limit. */
    public int longestPassage() {
        return longestPassage;
    }

    /** Whether only questions are used whose first answer is in the passage word by word; default false. */
    public boolean literal() {
        return literal;
    }

    /** The seed of the choice and the order of questions; default 42. */
    public long seed() {
        return seed;
    }

    private List<Object> values() {
        return List.of(questions, unanswerable, longestPassage, literal, seed);
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof QuestionLayout that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "QuestionLayout[questions=" + questions + ", unanswerable=" + unanswerable + ", longestPassage="
                + longestPassage + ", literal=" + literal + ", seed=" + seed + "]";
    }

    /** Builds {@link QuestionLayout}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int questions = 1;
        private double unanswerable = 0;
        private int longestPassage = Integer.MAX_VALUE;
        private boolean literal = false;
        private long seed = 42;

        private Builder() {}

        /** See {@link QuestionLayout#questions()}. */
        public Builder questions(int questions) {
            this.questions = questions;
            return this;
        }

        /** See {@link QuestionLayout#unanswerable()}. */
        public Builder unanswerable(double unanswerable) {
            this.unanswerable = unanswerable;
            return this;
        }

        /** See {@link QuestionLayout#longestPassage()}. */
        public Builder longestPassage(int longestPassage) {
            this.longestPassage = longestPassage;
            return this;
        }

        /** See {@link QuestionLayout#literal()}. */
        public Builder literal(boolean literal) {
            this.literal = literal;
            return this;
        }

        /** See {@link QuestionLayout#seed()}. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The options; {@link IllegalArgumentException} if a value is out of its range. */
        public QuestionLayout build() {
            return new QuestionLayout(this);
        }
    }
}
