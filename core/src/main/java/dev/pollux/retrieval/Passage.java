package dev.pollux.retrieval;

import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.ShortText;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A stretch of a document. <em>Immutable.</em>
 *
 * @param id unique in its index
 * @param source name of the source that holds its document; empty where there is none
 * @param document id of the document it is from
 * @param path what a reader opens, as {@link Origin#path()}; empty where that is the document's id
 * @param copies paths of other documents with the same content, sorted
 * @param headings the headings above it, outermost first; empty where there are none
 * @param text verbatim: {@code document.text().substring(start, end)}
 * @param start first character in the document, in UTF-16 units from 0
 * @param end one past the last character
 * @param location where a reader finds it in the document
 * @param lead what stands before it and without which it cannot be read, to put before its text: verbatim lines such as
 *     the head of the table that it goes on with, what leads into its list, or the opening fence of its code, with their
 *     line ends; empty where it needs none
 * @param mediaType how to read it, as of its document: {@code text/markdown}, which an empty one is taken for, or
 *     {@code text/plain}
 * @param metadata the document's
 */
public record Passage(
        String id,
        String source,
        String document,
        String path,
        List<String> copies,
        List<String> headings,
        String text,
        int start,
        int end,
        Location location,
        String lead,
        String mediaType,
        Map<String, String> metadata) {

    /** The media type of Markdown. */
    public static final String MARKDOWN = Reading.MARKDOWN;

    /** A passage of a Markdown document of which only the id is known, and that can be read without a lead. */
    public Passage(
            String id,
            String document,
            List<String> headings,
            String text,
            int start,
            int end,
            Location location,
            Map<String, String> metadata) {
        this(id, Origin.of(document), headings, text, start, end, location, "", MARKDOWN, metadata);
    }

    /** A passage of a document whose origin is known. */
    public Passage(
            String id,
            Origin origin,
            List<String> headings,
            String text,
            int start,
            int end,
            Location location,
            String lead,
            String mediaType,
            Map<String, String> metadata) {
        this(
                id,
                origin.source(),
                origin.document(),
                origin.path(),
                origin.copies(),
                headings,
                text,
                start,
                end,
                location,
                lead,
                mediaType,
                metadata);
    }

    public Passage {
        mediaType = mediaType.isEmpty() ? MARKDOWN : mediaType;
        copies = List.copyOf(copies);
        headings = List.copyOf(headings);
        metadata = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(metadata)));
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("start and end must be a range but were " + start + " and " + end);
        }
    }

    /** The place and the beginning of the text. */
    @Override
    public String toString() {
        return "Passage[" + excerpt() + "]";
    }

    String excerpt() {
        return location.in(document) + (headings.isEmpty() ? "" : " (" + heading() + ")") + ", " + ShortText.of(text);
    }

    /** Where it comes from. */
    public Origin origin() {
        return new Origin(source, document, path.isEmpty() ? document : path, copies);
    }

    /** The headings as one line, such as {@code Merging > Methods}; empty where there are none. */
    public String heading() {
        return String.join(" > ", headings);
    }
}
