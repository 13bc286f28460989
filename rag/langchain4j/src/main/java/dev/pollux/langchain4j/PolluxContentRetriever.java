package dev.pollux.langchain4j;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A retriever as a content retriever. <em>Thread-safe.</em> */
record PolluxContentRetriever(Retriever retriever, Function<dev.langchain4j.rag.query.Query, Query> queries)
        implements ContentRetriever {

    @Override
    public List<Content> retrieve(dev.langchain4j.rag.query.Query query) {
        return retriever.retrieve(queries.apply(query)).stream()
                .filter(hit -> !hit.passage().text().isBlank()) // a segment of LangChain4j has text
                .map(PolluxContentRetriever::content)
                .toList();
    }

    private static Content content(Hit hit) {
        Passage passage = hit.passage();
        Map<String, String> metadata = new HashMap<>(passage.metadata());
        putUnlessEmpty(metadata, "source", passage.source());
        putUnlessEmpty(metadata, "document", passage.document());
        putUnlessEmpty(metadata, "path", passage.path());
        putUnlessEmpty(metadata, "heading", passage.heading());
        putUnlessEmpty(metadata, "location", passage.location().described());
        metadata.keySet().removeIf(String::isBlank); // which LangChain4j refuses
        return Content.from(
                TextSegment.from(passage.lead() + passage.text(), Metadata.from(metadata)),
                Map.of(ContentMetadata.SCORE, hit.score(), ContentMetadata.EMBEDDING_ID, passage.id()));
    }

    private static void putUnlessEmpty(Map<String, String> metadata, String name, String value) {
        if (!value.isEmpty()) {
            metadata.putIfAbsent(name, value);
        }
    }
}
