package dev.pollux.generation;

import java.time.Duration;

/**
 * What a generation cost. <em>Immutable.</em>
 *
 * @param promptTokens tokens of the prompt, special tokens included, at least 0
 * @param cachedTokens tokens of the prompt that an earlier request had computed, in [0, promptTokens]
 * @param completionTokens tokens produced, an end token included, at least 0
 * @param draftedTokens tokens that were drafted and verified, at least 0
 * @param acceptedTokens tokens of the completion that were drafted, in [0, draftedTokens]
 * @param load time that opening the model took; zero where it was open already and the opener is not known
 * @param prefill time from the request to the first token
 * @param decode time from the first token to the end
 */
public record Usage(
        int promptTokens,
        int cachedTokens,
        int completionTokens,
        int draftedTokens,
        int acceptedTokens,
        Duration load,
        Duration prefill,
        Duration decode) {

    /** Nothing was generated. */
    public static final Usage NONE = new Usage(0, 0, 0, 0, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    public Usage {
        if (promptTokens < 0 || completionTokens < 0) {
            throw new IllegalArgumentException(
                    "token counts must be at least 0 but were " + promptTokens + " and " + completionTokens);
        }
        if (acceptedTokens < 0 || acceptedTokens > draftedTokens) {
            throw new IllegalArgumentException("acceptedTokens must be in [0, draftedTokens] with draftedTokens "
                    + draftedTokens + " but was " + acceptedTokens);
        }
        if (cachedTokens < 0 || cachedTokens > promptTokens) {
            throw new IllegalArgumentException("cachedTokens must be in [0, promptTokens] with promptTokens "
                    + promptTokens + " but was " + cachedTokens);
        }
    }

    /** The sum of two, field by field; load time is the larger of the two, as a model is opened once. */
    public Usage plus(Usage other) {
        return new Usage(
                promptTokens + other.promptTokens,
                cachedTokens + other.cachedTokens,
                completionTokens + other.completionTokens,
                draftedTokens + other.draftedTokens,
                acceptedTokens + other.acceptedTokens,
                load.compareTo(other.load) >= 0 ? load : other.load,
                prefill.plus(other.prefill),
                decode.plus(other.decode));
    }
}
