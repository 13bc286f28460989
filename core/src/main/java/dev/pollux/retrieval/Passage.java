package dev.pollux.retrieval;

import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.ShortText;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A contiguous part of a document. <em>Immutable.</em>
 *
 * @param id unique in its index
 * @param source name of the source that holds its document; empty where there is none
 * @param document id of its document
 * @param path address that a user opens, as {@link Origin#path()}; empty if that is the document's id
 * @param copies paths of other documents with the same content, sorted
 * @param headings the headings above it, outermost first; empty where there are none
 * @param text verbatim: {@code document.text().substring(start, end)}
 * @param start first character in the document, in UTF-16 units from 0
 * @param end one past the last character
 * @param location its location in the document; where it is null, the lines of the text, counted from 1
 * @param lead preceding lines that the text needs to be understood, to be put before it: verbatim, with their line ends.
 *     Examples: the header of a table that the passage continues, the introduction of its list, the opening fence of its
 *     code. Empty if none are needed
 * @param mediaType media type of its document: {@code text/markdown} or {@code text/plain}; empty means {@code
 *     text/markdown}
 * @param metadata metadata of its document
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

    /** A passage without a lead, from a Markdown document with a known id and nothing else. */
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
        location = location == null
                ? Location.lines(1, 1 + (int) text.lines().skip(1).count())
                : location;
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

    /** The origin of its document. */
    public Origin origin() {
        return new Origin(source, document, path.isEmpty() ? document : path, copies);
    }

    /** The headings as one line, such as {@code Merging > Methods}; empty where there are none. */
    public String heading() {
        return String.join(" > ", headings);
    }
}
