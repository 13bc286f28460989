package dev.pollux.inference.encoder;

import java.util.List;
import java.util.OptionalInt;

/**
 * The settings of an encoder's folder. <em>Immutable.</em>
 *
 * @param name the display name
 * @param pooling the poolings whose results are concatenated, at least one
 * @param promptPooled whether prefix tokens are pooled
 * @param layers the modules after pooling, in order
 * @param queryPrefix put before queries
 * @param passagePrefix put before passages
 * @param lowerCase whether texts are lower-cased first
 * @param maxTokens the default limit of tokens per text
 * @param positions the model's maximum number of positions, if limited
 * @param firstPosition the position id of the first token
 * @param padToken the token read for a text without any token
 * @param dimensions the truncation lengths the model was trained for, ascending; empty if the folder names none
 * @param dimension the length to which vectors are truncated, if any
 */
record EncoderConfig(
        String name,
        List<Pooling> pooling,
        boolean promptPooled,
        List<VectorLayer> layers,
        String queryPrefix,
        String passagePrefix,
        boolean lowerCase,
        int maxTokens,
        OptionalInt positions,
        int firstPosition,
        int padToken,
        List<Integer> dimensions,
        OptionalInt dimension) {

    /** A copy overridden by {@code options}. */
    EncoderConfig with(EmbedderOptions options) {
        int max = options.maxTokens().orElse(maxTokens);
        if (max > positions.orElse(Integer.MAX_VALUE)) {
            throw new IllegalArgumentException("maxTokens must be at most " + positions.getAsInt()
                    + ", the positions of the model " + name + ", but was " + max);
        }
        if (options.dimension().isPresent()
                && !dimensions.isEmpty()
                && !dimensions.contains(options.dimension().getAsInt())) {
            throw new IllegalArgumentException("dimension must be one of " + dimensions + ", to which " + name
                    + " was trained, but was " + options.dimension().getAsInt());
        }
        return new EncoderConfig(
                name,
                options.pooling().isEmpty() ? pooling : options.pooling(),
                promptPooled,
                layers,
                options.queryPrefix().orElse(queryPrefix),
                options.passagePrefix().orElse(passagePrefix),
                lowerCase,
                max,
                positions,
                firstPosition,
                padToken,
                dimensions,
                options.dimension().isPresent() ? options.dimension() : dimension);
    }
}
