package dev.pollux.springai;

import dev.pollux.embedding.TextRole;
import dev.pollux.rag.knowledge.EmbeddedDocument;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.springframework.ai.document.Document;
import org.springframework.ai.document.DocumentMetadata;
import org.springframework.ai.vectorstore.AbstractVectorStoreBuilder;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.observation.AbstractObservationVectorStore;
import org.springframework.ai.vectorstore.observation.VectorStoreObservationContext;

/** A source of a knowledge base as a vector store; the id of a document is that of its document there. <em>Thread-safe.</em> */
final class KnowledgeVectorStore extends AbstractObservationVectorStore {

    /** The field that names the store of a document, so that filters cannot leave it. */
    private static final String STORE = "spring-ai-store";

    private static final int MOST_RESULTS = 10_000;

    private final KnowledgeBase knowledge;
    private final String source;
    private final Filter own;

    private KnowledgeVectorStore(Builder builder) {
        super(builder);
        this.knowledge = builder.knowledge;
        this.source = builder.source;
        this.own = Filter.equal(STORE, source);
    }

    static KnowledgeVectorStore of(KnowledgeBase knowledge, String source, ObservationRegistry observations) {
        return new Builder(knowledge, source).observationRegistry(observations).build();
    }

    @Override
    public void doAdd(List<Document> documents) {
        List<String> texts = documents.stream().map(KnowledgeVectorStore::text).toList();
        float[][] vectors = knowledge.vectors().of(texts, TextRole.PASSAGE); // (documents, dimension)
        List<EmbeddedDocument> embedded = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            Document document = documents.get(i);
            Map<String, String> metadata = MetadataTypes.texts(document.getMetadata());
            metadata.put(STORE, source);
            embedded.add(new EmbeddedDocument(
                    new dev.pollux.retrieval.Document(document.getId(), "text/plain", texts.get(i), metadata),
                    vectors[i]));
        }
        if (!embedded.isEmpty()) {
            knowledge.vectors().upsert(source, embedded);
        }
    }

    private static String text(Document document) {
        String text = document.getText();
        if (text == null) {
            throw new IllegalArgumentException(
                    "Document " + document.getId() + " must have a text but is media; Pollux embeds text only");
        }
        return text;
    }

    @Override
    public void doDelete(List<String> ids) {
        knowledge.delete(source, ids);
    }

    @Override
    protected void doDelete(org.springframework.ai.vectorstore.filter.Filter.Expression filter) {
        knowledge.delete(own.and(FilterFromSpringAi.of(filter)));
    }

    @Override
    public List<Document> doSimilaritySearch(SearchRequest request) {
        var expression = request.getFilterExpression();
        Filter filter = expression == null ? own : own.and(FilterFromSpringAi.of(expression));
        float[] query = knowledge.vectors().of(List.of(request.getQuery()), TextRole.QUERY)[0];
        double threshold = request.getSimilarityThreshold();
        return knowledge.vectors().nearest(query, Math.min(request.getTopK(), MOST_RESULTS), filter).stream()
                .filter(hit -> threshold == SearchRequest.SIMILARITY_THRESHOLD_ACCEPT_ALL || hit.score() >= threshold)
                .map(KnowledgeVectorStore::document)
                .toList();
    }

    private static Document document(Hit hit) {
        Map<String, Object> metadata =
                MetadataTypes.typed(Objects.requireNonNull(hit.passage().metadata()));
        metadata.remove(STORE);
        metadata.put(DocumentMetadata.DISTANCE.value(), 1 - hit.score());
        return Document.builder()
                .id(hit.passage().document())
                .text(hit.passage().text())
                .metadata(metadata)
                .score(hit.score())
                .build();
    }

    @Override
    public VectorStoreObservationContext.Builder createObservationContextBuilder(String operation) {
        return VectorStoreObservationContext.builder("pollux", operation)
                .collectionName(source)
                .dimensions(knowledge.vectors().embedder().dimension())
                .similarityMetric("cosine");
    }

    @Override
    @SuppressWarnings("unchecked") // as the signature has it
    public <T> Optional<T> getNativeClient() {
        return Optional.of((T) knowledge);
    }

    /** What the base class is built from. */
    private static final class Builder extends AbstractVectorStoreBuilder<Builder> {
        private final KnowledgeBase knowledge;
        private final String source;

        Builder(KnowledgeBase knowledge, String source) {
            super(new KnowledgeEmbeddingModel(knowledge));
            this.knowledge = knowledge;
            this.source = source;
        }

        @Override
        public KnowledgeVectorStore build() {
            return new KnowledgeVectorStore(this);
        }
    }
}
