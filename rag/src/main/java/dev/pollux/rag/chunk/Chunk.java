package dev.pollux.rag.chunk;

import dev.pollux.retrieval.Location;
import java.util.List;

/**
 * A stretch of a document that is embedded and found as one. <em>Immutable.</em>
 *
 * @param headings the headings that hold for all of it, outermost first; those inside it count
 * @param context the headings above it that are not in it, as one line to embed before its text; empty if none
 * @param start first character in the document, in UTF-16 units from 0
 * @param end one past the last character
 * @param location where a reader finds it in the document
 * @param lead what stands before it and without which it cannot be read; see {@link
 *     dev.pollux.retrieval.Passage#lead()}
 * @param embeddingText what is embedded and searched: the context and a line break, the lead, the text without comments
 *     and embedded data
 */
public record Chunk(
        List<String> headings,
        String context,
        int start,
        int end,
        Location location,
        String lead,
        String embeddingText) {

    public Chunk {
        headings = List.copyOf(headings);
    }

    /** The chunk's text, verbatim. */
    public String text(String document) {
        return document.substring(start, end);
    }
}
