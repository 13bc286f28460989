package dev.pollux.inference.engine;

import static dev.pollux.internal.OptionRange.require;

/** How texts are searched for. <em>Immutable.</em> */
public final class BeamOptions {

    /** The defaults of the builder. */
    public static final BeamOptions DEFAULTS = builder().build();

    private final int beams;
    private final int results;
    private final double lengthPenalty;
    private final boolean earlyStopping;

    private BeamOptions(Builder builder) {
        this.beams = builder.beams;
        this.results = builder.results;
        this.lengthPenalty = builder.lengthPenalty;
        this.earlyStopping = builder.earlyStopping;
        require(beams >= 1 && beams <= 64, "beams", "in [1, 64]", beams);
        require(results >= 1 && results <= beams, "results", "in [1, beams] with beams " + beams, results);
        require(Math.abs(lengthPenalty) <= 10, "lengthPenalty", "in [-10, 10]", lengthPenalty);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The number of texts that are continued at a time, in [1, 64]; default 4. */
    public int beams() {
        return beams;
    }

    /** The number of texts that are returned, in [1, beams]; default 1. */
    public int results() {
        return results;
    }

    /**
     * The score of a text is the sum of its log-probabilities divided by its number of new tokens, the end token included, to this
     * power: above 0 it favours longer texts. In [-10, 10]; default 1.
     */
    public double lengthPenalty() {
        return lengthPenalty;
    }

    /**
     * Whether the search ends as soon as {@link #beams()} texts have ended; else it goes on while the best text that has not ended
     * could still be better than the worst that has. Default false.
     */
    public boolean earlyStopping() {
        return earlyStopping;
    }

    @Override
    public String toString() {
        return "BeamOptions[beams=" + beams + ", results=" + results + ", lengthPenalty=" + lengthPenalty
                + ", earlyStopping=" + earlyStopping + "]";
    }

    /** Builds {@link BeamOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int beams = 4;
        private int results = 1;
        private double lengthPenalty = 1;
        private boolean earlyStopping;

        private Builder() {}

        /** See {@link BeamOptions#beams()}. */
        public Builder beams(int beams) {
            this.beams = beams;
            return this;
        }

        /** See {@link BeamOptions#results()}. */
        public Builder results(int results) {
            this.results = results;
            return this;
        }

        /** See {@link BeamOptions#lengthPenalty()}. */
        public Builder lengthPenalty(double lengthPenalty) {
            this.lengthPenalty = lengthPenalty;
            return this;
        }

        /** See {@link BeamOptions#earlyStopping()}. */
        public Builder earlyStopping(boolean earlyStopping) {
            this.earlyStopping = earlyStopping;
            return this;
        }

        /** The options; checks every range. */
        public BeamOptions build() {
            return new BeamOptions(this);
        }
    }
}
