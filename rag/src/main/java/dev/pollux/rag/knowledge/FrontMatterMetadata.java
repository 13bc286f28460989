package dev.pollux.rag.knowledge;

import dev.pollux.internal.text.FrontMatter;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.MetadataValue;
import dev.pollux.retrieval.Passage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Adds the front matter of a document to its metadata. */
final class FrontMatterMetadata {

    private FrontMatterMetadata() {}

    /** The document with the entries of its front matter as metadata; entries from its source take precedence. */
    static Document added(Document document) {
        Map<String, String> fields = document.mediaType().equals(Passage.MARKDOWN)
                ? FrontMatter.fields(document.text(), FrontMatterMetadata::list)
                : Map.of();
        if (fields.isEmpty()) {
            return document;
        }
        Map<String, String> metadata = new HashMap<>(fields);
        metadata.putAll(document.metadata());
        return document.withMetadata(metadata);
    }

    /** A list, whose elements have their types. */
    private static String list(List<String> elements) {
        return MetadataValue.text(elements.stream().map(MetadataValue::of).toList());
    }
}
