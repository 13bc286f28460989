package dev.pollux.inference.engine;

import java.util.List;

/**
 * A text that a search found. <em>Immutable.</em>
 *
 * @param text the text
 * @param tokens the token ids; an end token is the last one
 * @param score the sum of the log-probabilities of the tokens, divided by their number to the power of the length penalty
 */
public record Hypothesis(String text, List<Integer> tokens, double score) {

    public Hypothesis {
        tokens = List.copyOf(tokens);
    }
}
