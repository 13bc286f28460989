package dev.pollux.generation;

import java.util.List;

/**
 * A token and the logarithm of the probability that the model gave it, before biases, penalties, temperature and cuts.
 * <em>Immutable.</em>
 *
 * @param token the id
 * @param text its text; not always whole characters
 * @param logProbability natural logarithm, at most 0
 * @param top the most probable tokens at the same position, best first, as many as
 *     {@link GenerationOptions#logProbabilities()} asks for; their own lists are empty
 */
public record TokenLogProbability(int token, String text, double logProbability, List<TokenLogProbability> top) {

    public TokenLogProbability {
        top = List.copyOf(top);
    }
}
