package dev.pollux.retrieval;

import java.util.Locale;

/**
 * A passage that was found. <em>Immutable.</em>
 *
 * @param passage what was found
 * @param score higher is better; its scale is the retriever's and is comparable only within one result list
 */
public record Hit(Passage passage, double score) {

    /** The score, the place and the beginning of the text. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Hit[%.4f, %s]", score, passage.excerpt());
    }
}
