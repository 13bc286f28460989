package dev.pollux.retrieval;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * A text with a name. <em>Immutable.</em>
 *
 * @param id unique and stable, such as a path relative to its source; not blank
 * @param path what a reader opens, such as a URL or the path of a file; empty where it is the source's path and the id
 * @param mediaType how to read the text: {@code text/markdown} or {@code text/plain}
 * @param text the whole text
 * @param metadata what else is known, such as author or language, sorted by name
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
