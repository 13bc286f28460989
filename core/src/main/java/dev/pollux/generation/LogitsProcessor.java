package dev.pollux.generation;

/**
 * Changes the logits before a token is chosen: a rule of the host that no option expresses.
 *
 * <pre>{@code
 * LogitsProcessor noDigitsFirst = (tokens, promptLength, logits) -> {
 *     if (tokens.length == promptLength) {
 *         digits.forEach(id -> logits[id] = Float.NEGATIVE_INFINITY);
 *     }
 * };
 * }</pre>
 *
 * <p>Implementations must be <em>thread-safe</em>: the options that hold one may serve several generations at a time. A processor
 * must depend on its arguments alone, because a position may be computed more than once.
 */
@FunctionalInterface
public interface LogitsProcessor {

    /**
     * Changes the logits of the next token.
     *
     * @param tokens (prompt + output), the ids so far; must not be changed
     * @param promptLength the number of the ids that are the prompt's
     * @param logits (vocabulary), to change in place; negative infinity forbids a token
     */
    void process(int[] tokens, int promptLength, float[] logits);
}
