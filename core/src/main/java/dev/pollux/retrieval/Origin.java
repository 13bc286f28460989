package dev.pollux.retrieval;

import java.util.List;

/**
 * The origin of a text. <em>Immutable.</em>
 *
 * @param source name of the source that holds the document, unique in its knowledge base; empty where there is none
 * @param document id of the document, unique in its source, such as a path relative to a folder
 * @param path address that a user opens: the absolute path of a file, or a URL; the document's id if no address is known
 * @param copies paths of other documents with the same content, sorted; only one of them is retrieved
 */
public record Origin(String source, String document, String path, List<String> copies) {

    public Origin {
        copies = List.copyOf(copies);
    }

    /** The origin of a document with a known id and nothing else. */
    public static Origin of(String document) {
        return new Origin("", document, document, List.of());
    }
}
