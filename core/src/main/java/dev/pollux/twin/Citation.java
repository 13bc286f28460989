package dev.pollux.twin;

import dev.pollux.retrieval.Origin;

/**
 * Where a statement comes from: what {@code [number]} in an answer stands for. <em>Immutable.</em>
 *
 * @param number as in the text, at least 1
 * @param origin the document: its name, and the path under which a reader finds it
 * @param heading the headings above it, outermost first, joined by {@code " > "}; empty where there are none
 * @param firstLine line of the quote's first character in the document, from 1
 * @param lastLine line of its last character
 * @param quote the sentence that says it, verbatim
 */
public record Citation(int number, Origin origin, String heading, int firstLine, int lastLine, String quote) {

    /** Id of the document. */
    public String document() {
        return origin.document();
    }
}
