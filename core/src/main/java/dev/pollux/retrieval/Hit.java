package dev.pollux.retrieval;

import java.util.Locale;

/**
 * A passage that was found. <em>Immutable.</em>
 *
 * @param passage the passage
 * @param score higher is better; the scale depends on the retriever, so scores are comparable only within one result list
 */
public record Hit(Passage passage, double score) {

    /** The score, the place and the beginning of the text. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Hit[%.4f, %s]", score, passage.excerpt());
    }
}
