package dev.pollux.generation;

import static dev.pollux.internal.OptionRange.require;

/**
 * Keeps the surprise of the text near a target (Basu et al., arXiv:2007.14966), in the second version, as llama.cpp computes
 * it: tokens with a surprise above a bound are dropped, and the bound, 2 · {@code tau} at first, moves by {@code eta} times the
 * difference of the target from the surprise of the token that was drawn. <em>Immutable.</em>
 *
 * @param tau the target surprise in bits, in (0, 100]; often 5
 * @param eta the rate of learning, in (0, 1]; often 0.1
 */
public record Mirostat(double tau, double eta) {

    /** @throws IllegalArgumentException if a value is out of its range */
    public Mirostat {
        require(tau > 0 && tau <= 100, "tau", "in (0, 100]", tau);
        require(eta > 0 && eta <= 1, "eta", "in (0, 1]", eta);
    }
}
