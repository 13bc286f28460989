package dev.pollux.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An embedding store with its model as a retriever. <em>As thread-safe as the two.</em> */
record HostedStoreRetriever(EmbeddingStore<TextSegment> store, EmbeddingModel model, String name) implements Retriever {

    @Override
    public List<Hit> retrieve(Query query) {
        Interrupts.check();
        dev.langchain4j.store.embedding.filter.@Nullable Filter filter =
                query.isFiltered() ? FilterToLangChain4j.of(query.filter()) : null;
        long begin = System.nanoTime();
        Embedding vector = Embedding.from(FromLangChain4j.vectors(model, List.of(query.text()), TextRole.QUERY)
                .get(0));
        query.trace().add("embed", 1, 1, begin);
        begin = System.nanoTime();
        List<EmbeddingMatch<TextSegment>> matches = store.search(EmbeddingSearchRequest.builder()
                        .query(query.text())
                        .queryEmbedding(vector)
                        .maxResults(query.topK())
                        .filter(filter)
                        .build())
                .matches();
        List<Hit> hits = matches.stream()
                .filter(match -> match.embedded() != null) // an embedding alone is no passage
                .map(match -> new Hit(Segments.passage(match.embeddingId(), match.embedded(), name), match.score()))
                .toList();
        query.trace().add(name, matches.size(), hits.size(), begin);
        return hits;
    }
}
