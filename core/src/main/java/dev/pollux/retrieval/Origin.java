package dev.pollux.retrieval;

import java.util.List;

/**
 * Where a text comes from. <em>Immutable.</em>
 *
 * @param source name of the source that holds the document, unique in its knowledge base; empty where there is none
 * @param document id of the document, unique in its source, such as a path relative to a folder
 * @param path what a reader opens: the absolute path of a file, or an address such as a URL; the document's id where
 *     nothing more is known
 * @param copies paths of other documents with the same content, sorted; only one of them is retrieved
 */
public record Origin(String source, String document, String path, List<String> copies) {

    public Origin {
        copies = List.copyOf(copies);
    }

    /** A document of which only the id is known. */
    public static Origin of(String document) {
        return new Origin("", document, document, List.of());
    }
}
