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
 *     embedded data; without the lead under {@link ChunkStrategy#SENTENCE_WINDOW}
 * @param parentStart first character of its parent, at most {@code start}; {@code start} if it has none
 * @param parentEnd one past the last character of its parent, at least {@code end}; {@code end} if it has none
 */
public record Chunk(
        List<String> headings,
        String context,
        int start,
        int end,
        Location location,
        String lead,
        String embeddingText,
        int parentStart,
        int parentEnd) {

    /** A chunk without a parent. */
    public Chunk(
            List<String> headings,
            String context,
            int start,
            int end,
            Location location,
            String lead,
            String embeddingText) {
        this(headings, context, start, end, location, lead, embeddingText, start, end);
    }

    public Chunk {
        headings = List.copyOf(headings);
        if (parentStart > start || parentEnd < end) {
            throw new IllegalArgumentException("A chunk in [" + start + ", " + end
                    + ") must be in its parent but that is [" + parentStart + ", " + parentEnd + ")");
        }
    }

    /** Whether it is a part of a larger parent; see {@link ChunkStrategy#PARENT_CHILD}. */
    public boolean hasParent() {
        return parentStart < start || parentEnd > end;
    }

    /** The same chunk as a part of a parent. */
    Chunk in(int first, int last) {
        return new Chunk(headings, context, start, end, location, lead, embeddingText, first, last);
    }

    /** The same chunk with another lead, which is not embedded with it. */
    Chunk withLead(String other) {
        return new Chunk(headings, context, start, end, location, other, embeddingText, parentStart, parentEnd);
    }

    /** The chunk's text, verbatim. */
    public String text(String document) {
        return document.substring(start, end);
    }
}
