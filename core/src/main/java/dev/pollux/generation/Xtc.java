package dev.pollux.generation;

import static dev.pollux.internal.OptionRange.require;

/**
 * Excludes the most probable tokens, for texts that surprise: of the tokens with a probability of at least {@code threshold},
 * only the least probable stays, at the given share of the positions. Where fewer than two tokens reach the threshold, nothing
 * is excluded. The definition is that of llama.cpp. <em>Immutable.</em>
 *
 * @param probability the share of the positions, in [0, 1]; often 0.5
 * @param threshold a probability, in (0, 0.5]; often 0.1
 */
public record Xtc(double probability, double threshold) {

    /** @throws IllegalArgumentException if a value is out of its range */
    public Xtc {
        require(probability >= 0 && probability <= 1, "probability", "in [0, 1]", probability);
        require(threshold > 0 && threshold <= 0.5, "threshold", "in (0, 0.5]", threshold);
    }
}
