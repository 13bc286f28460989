package dev.pollux.retrieval;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * A text with a name. <em>Immutable.</em>
 *
 * @param id unique and stable, such as a path relative to its source; not blank
 * @param path address that a user opens, such as a URL or a file path; if empty, the source's path followed by the id
 * @param mediaType how to read the text: {@code text/markdown} or {@code text/plain}
 * @param text the whole text
 * @param metadata further fields, such as author or language, sorted by name
 */
public record Document(String id, String path, String mediaType, String text, Map<String, String> metadata) {

    /** A document that a reader finds by its source and its id. */
    public Document(String id, String mediaType, String text, Map<String, String> metadata) {
        this(id, "", mediaType, text, metadata);
    }

    public Document {
        if (id.isBlank()) {
            throw new IllegalArgumentException("id must not be blank; use a path or another stable name");
        }
        metadata = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(metadata)));
    }
}
