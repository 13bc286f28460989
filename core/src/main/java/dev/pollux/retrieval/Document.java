package dev.pollux.retrieval;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A text with a name. <em>Immutable.</em>
 *
 * @param id unique and stable, such as a path relative to its source; not blank
 * @param path address that a user opens, such as a URL or a file path; if empty, the source's path followed by the id
 * @param mediaType how to read the text: {@code text/markdown}, {@code text/plain}, or the media type of source code, such as
 *     {@code text/x-java}
 * @param text the whole text
 * @param metadata further fields, such as author or language, sorted by name
 * @param places locations of the parts of the text in the original, in order; empty if the text is the original, whose
 *     locations are its lines
 */
public record Document(
        String id, String path, String mediaType, String text, Map<String, String> metadata, List<Place> places) {

    /** A document that a reader finds by its source and its id. */
    public Document(String id, String mediaType, String text, Map<String, String> metadata) {
        this(id, "", mediaType, text, metadata);
    }

    /** A document whose text is the original. */
    public Document(String id, String path, String mediaType, String text, Map<String, String> metadata) {
        this(id, path, mediaType, text, metadata, List.of());
    }

    public Document {
        if (id.isBlank()) {
            throw new IllegalArgumentException("id must not be blank; use a path or another stable name");
        }
        metadata = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(metadata)));
        places = List.copyOf(places);
        for (int i = 1; i < places.size(); i++) {
            if (places.get(i).start() < places.get(i - 1).start()) {
                throw new IllegalArgumentException("places must be in the order of their start but "
                        + places.get(i).start() + " follows "
                        + places.get(i - 1).start());
            }
        }
    }

    /** The same document with other metadata. */
    public Document withMetadata(Map<String, String> other) {
        return new Document(id, path, mediaType, text, other, places);
    }
}
