package dev.pollux.embedding;

/**
 * What an {@link Embedder} is. <em>Immutable.</em>
 *
 * @param name a name to show
 * @param fingerprint equal for equal vectors: an index made with one fingerprint is not searched with another
 * @param dimension length of a vector, at least 1
 * @param maxTokens most tokens of one text, special tokens included, at least 1
 */
public record EmbedderInfo(String name, String fingerprint, int dimension, int maxTokens) {

    public EmbedderInfo {
        if (dimension < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    "dimension and maxTokens must be at least 1 but were " + dimension + " and " + maxTokens);
        }
    }
}
