package dev.pollux.inference.engine;

import static dev.pollux.internal.OptionRange.require;

/**
 * How texts are searched for. <em>Immutable.</em>
 *
 * @param beams the number of texts that are continued at a time, in [1, 64]
 * @param results the number of texts that are returned, in [1, beams]
 * @param lengthPenalty the score of a text is the sum of its log-probabilities divided by its number of new tokens, the end token
 *     included, to this power; above 0 favours longer texts; in [-10, 10]
 * @param earlyStopping whether the search ends as soon as {@code beams} texts have ended; else it goes on while the best
 *     text that has not ended could still be better than the worst that has
 */
public record BeamOptions(int beams, int results, double lengthPenalty, boolean earlyStopping) {

    public BeamOptions {
        require(beams >= 1 && beams <= 64, "beams", "in [1, 64]", beams);
        require(results >= 1 && results <= beams, "results", "in [1, beams] with beams " + beams, results);
        require(Math.abs(lengthPenalty) <= 10, "lengthPenalty", "in [-10, 10]", lengthPenalty);
    }

    /** The best text of a search with {@code beams} beams and a length penalty of 1. */
    public static BeamOptions of(int beams) {
        return new BeamOptions(beams, 1, 1, false);
    }
}
