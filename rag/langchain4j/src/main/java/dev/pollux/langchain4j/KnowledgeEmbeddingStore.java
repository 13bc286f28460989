package dev.pollux.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.EmbeddingSearchResult;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.langchain4j.store.embedding.RelevanceScore;
import dev.pollux.rag.knowledge.EmbeddedDocument;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A source of a knowledge base as an embedding store. A segment is a document of one passage; the id of an embedding is that of
 * its document. <em>Thread-safe.</em>
 */
final class KnowledgeEmbeddingStore implements EmbeddingStore<TextSegment> {

    /** The field that names the store of a segment, so that filters cannot leave it. */
    private static final String STORE = "langchain4j-store";

    private static final int MOST_RESULTS = 10_000;

    private final KnowledgeBase knowledge;
    private final String source;
    private final Filter own;

    KnowledgeEmbeddingStore(KnowledgeBase knowledge, String source) {
        this.knowledge = knowledge;
        this.source = source;
        this.own = Filter.equal(STORE, source);
    }

    @Override
    public String add(Embedding embedding) {
        return addAll(List.of(embedding)).get(0);
    }

    @Override
    public void add(String id, Embedding embedding) {
        write(List.of(document(id, embedding, null)));
    }

    @Override
    public String add(Embedding embedding, TextSegment segment) {
        return addAll(List.of(embedding), List.of(segment)).get(0);
    }

    @Override
    public List<String> addAll(List<Embedding> embeddings) {
        List<String> ids = generateIds(embeddings.size());
        addAll(ids, embeddings, Collections.nCopies(ids.size(), null));
        return ids;
    }

    @Override
    public void addAll(List<String> ids, List<Embedding> embeddings, @Nullable List<TextSegment> segments) {
        if (ids.size() != embeddings.size() || segments != null && segments.size() != ids.size()) {
            throw new IllegalArgumentException("ids, embeddings and segments must be of one length but were "
                    + ids.size() + ", " + embeddings.size() + " and "
                    + (segments == null ? "absent" : segments.size()));
        }
        List<EmbeddedDocument> documents = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            documents.add(document(ids.get(i), embeddings.get(i), segments == null ? null : segments.get(i)));
        }
        write(documents);
    }

    private void write(List<EmbeddedDocument> documents) {
        if (!documents.isEmpty()) {
            knowledge.vectors().upsert(source, documents);
        }
    }

    private EmbeddedDocument document(String id, Embedding embedding, @Nullable TextSegment segment) {
        Map<String, String> metadata = segment == null ? new TreeMap<>() : MetadataTypes.texts(segment.metadata());
        metadata.put(STORE, source);
        String text = segment == null ? "" : segment.text();
        return new EmbeddedDocument(new Document(id, "text/plain", text, metadata), embedding.vector());
    }

    @Override
    public void removeAll(Collection<String> ids) {
        if (ids == null || ids.isEmpty()) {
            throw new IllegalArgumentException("ids must hold at least one id but was " + ids);
        }
        knowledge.delete(source, ids);
    }

    @Override
    public void removeAll(dev.langchain4j.store.embedding.filter.Filter filter) {
        if (filter == null) {
            throw new IllegalArgumentException("filter must not be null; removeAll() removes everything");
        }
        knowledge.delete(own.and(FilterFromLangChain4j.of(filter)));
    }

    @Override
    public void removeAll() {
        knowledge.delete(source);
    }

    @Override
    public EmbeddingSearchResult<TextSegment> search(EmbeddingSearchRequest request) {
        Filter filter = request.filter() == null ? own : own.and(FilterFromLangChain4j.of(request.filter()));
        List<Hit> hits = knowledge
                .vectors()
                .nearest(request.queryEmbedding().vector(), Math.min(request.maxResults(), MOST_RESULTS), filter)
                .stream()
                .filter(hit -> RelevanceScore.fromCosineSimilarity(hit.score()) >= request.minScore())
                .toList();
        float[][] vectors = knowledge.vectors(hits.stream().map(Hit::passage).toList()); // (hits, dimension)
        List<EmbeddingMatch<TextSegment>> matches = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            Passage passage = hits.get(i).passage();
            matches.add(new EmbeddingMatch<>(
                    RelevanceScore.fromCosineSimilarity(hits.get(i).score()),
                    passage.document(),
                    Embedding.from(vectors[i]),
                    segment(passage)));
        }
        return new EmbeddingSearchResult<>(matches);
    }

    private static @Nullable TextSegment segment(Passage passage) {
        if (passage.text().isEmpty()) {
            return null; // an embedding alone
        }
        Map<String, String> metadata = new TreeMap<>(passage.metadata());
        metadata.remove(STORE);
        return TextSegment.from(passage.text(), MetadataTypes.typed(metadata));
    }
}
