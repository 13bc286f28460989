package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Documents in memory. */
record ListSource(String name, List<Document> documents) implements DocumentSource {

    ListSource {
        documents = List.copyOf(documents);
        Set<String> ids = new HashSet<>();
        for (Document document : documents) {
            if (!ids.add(document.id())) {
                throw new IllegalArgumentException(
                        "Document id " + document.id() + " occurs twice in source " + name + "; ids must be unique");
            }
        }
    }

    @Override
    public void read(DocumentSink sink) {
        sink.expect(documents.size());
        documents.forEach(sink::document);
    }
}
