package dev.pollux.inference.encoder;

import java.util.List;
import java.util.OptionalInt;

/**
 * What an encoder's folder says about it. <em>Immutable.</em>
 *
 * @param name a name to show
 * @param pooling what is concatenated, at least one
 * @param promptPooled whether the tokens of a prefix take part in the pooling
 * @param layers what follows the pooling
 * @param queryPrefix put before queries
 * @param passagePrefix put before passages
 * @param lowerCase whether texts are lower-cased first
 * @param maxTokens most tokens of a text, unless the host says otherwise
 * @param positions most tokens the model can take, if it has a limit
 * @param firstPosition the position id of the first token
 * @param padToken what stands for a text that gives no token at all
 * @param dimensions lengths to which the model was trained to be cut, ascending; empty if the folder names none
 * @param dimension the length to which vectors are cut, if they are
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

    /** This with what {@code options} say otherwise. */
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
