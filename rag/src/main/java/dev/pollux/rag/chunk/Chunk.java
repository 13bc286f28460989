package dev.pollux.rag.chunk;

import dev.pollux.retrieval.Location;
import java.util.List;

/**
 * A contiguous part of a document: the unit of embedding and retrieval. <em>Immutable.</em>
 *
 * @param headings the headings that apply to the whole chunk, outermost first, including headings inside it
 * @param context the headings above it that are not part of it, as one line that is embedded before its text; empty if none
 * @param start first character in the document, in UTF-16 units from 0
 * @param end one past the last character
 * @param location its location in the document
 * @param lead preceding lines that the text needs to be understood; see {@link dev.pollux.retrieval.Passage#lead()}
 * @param embeddingText the text that is embedded and searched: context, line break, lead, then the text without comments and
 *     embedded data; without the lead under {@link ChunkStrategy#SENTENCES}
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

    /** The same chunk with another lead, which is not embedded with it. */
    Chunk withLead(String other) {
        return new Chunk(headings, context, start, end, location, other, embeddingText);
    }

    /** The chunk's text, verbatim. */
    public String text(String document) {
        return document.substring(start, end);
    }
}
