package dev.pollux.springai;

import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.springframework.ai.document.Document;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.VectorStore;

/** A vector store as a retriever. <em>As thread-safe as the store.</em> */
record HostedRetriever(VectorStore store, String name) implements Retriever {

    @Override
    public List<Hit> retrieve(Query query) {
        Interrupts.check();
        SearchRequest.Builder request =
                SearchRequest.builder().query(query.text()).topK(query.topK());
        if (query.isFiltered()) {
            request.filterExpression(FilterToSpringAi.of(query.filter()));
        }
        long begin = System.nanoTime();
        List<Document> found = store.similaritySearch(request.build());
        List<Hit> hits = new ArrayList<>();
        for (Document document : found) {
            double score = Objects.requireNonNullElse(document.getScore(), 1.0 / (hits.size() + 1));
            if (document.getText() != null) {
                hits.add(new Hit(passage(document, document.getText()), score));
            }
        }
        query.trace().add(name, found.size(), hits.size(), begin);
        return hits;
    }

    private Passage passage(Document document, String text) {
        Map<String, String> metadata = new TreeMap<>();
        document.getMetadata().forEach((field, value) -> metadata.put(field, value.toString()));
        String named = Stream.of("file_name", "source", "url")
                .map(field -> metadata.getOrDefault(field, ""))
                .filter(value -> !value.isBlank())
                .findFirst()
                .orElse(document.getId());
        return new Passage(
                document.getId(),
                new Origin(name, named, metadata.getOrDefault("url", named), List.of()),
                List.of(),
                text,
                0,
                text.length(),
                Location.whole(),
                "",
                "text/plain",
                metadata);
    }
}
