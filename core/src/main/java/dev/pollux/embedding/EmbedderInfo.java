package dev.pollux.embedding;

import java.util.Set;

/**
 * What an {@link Embedder} is. <em>Immutable.</em>
 *
 * @param name a name to show
 * @param fingerprint equal for equal vectors: an index made with one fingerprint is not searched with another
 * @param dimension length of a vector, at least 1
 * @param maxTokens most tokens of one text, special tokens included, at least 1
 * @param languages what it was trained to read, in ISO 639-1 codes such as {@code en}; empty where that is every language or
 *     not known. Texts in other languages have vectors too, but their similarity says little
 */
public record EmbedderInfo(String name, String fingerprint, int dimension, int maxTokens, Set<String> languages) {

    /** An embedder of every language. */
    public EmbedderInfo(String name, String fingerprint, int dimension, int maxTokens) {
        this(name, fingerprint, dimension, maxTokens, Set.of());
    }

    public EmbedderInfo {
        languages = Set.copyOf(languages);
        if (dimension < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    "dimension and maxTokens must be at least 1 but were " + dimension + " and " + maxTokens);
        }
    }

    /** Whether it reads a language, given by its ISO 639-1 code; empty where that is not known, which it may. */
    public boolean reads(String language) {
        return language.isEmpty() || languages.isEmpty() || languages.contains(language);
    }
}
