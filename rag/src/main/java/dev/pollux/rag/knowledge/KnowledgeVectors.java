package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import java.util.ArrayList;
import java.util.List;

/**
 * Access to a knowledge base by vectors, for hosts that compute vectors themselves, such as vector stores of other frameworks.
 *
 * <pre>{@code
 * KnowledgeVectors vectors = knowledge.vectors();
 * vectors.upsert("notes", List.of(new EmbeddedDocument(note, vector)));
 * List<Hit> hits = vectors.nearest(query, 10, Filter.all());
 * }</pre>
 *
 * <p>Vectors of other models than the knowledge base's embedder have no meaningful similarity with those of its own documents.
 * A knowledge base that holds vectors of the host alone may be opened with any embedder of the same dimension.
 *
 * <p><em>Thread-safe.</em> Valid as long as its knowledge base is open.
 */
public final class KnowledgeVectors {

    private final Embedder embedder;
    private final KnowledgeSearch search;
    private final KnowledgeWrites writes;

    KnowledgeVectors(Embedder embedder, KnowledgeSearch search, KnowledgeWrites writes) {
        this.embedder = embedder;
        this.search = search;
        this.writes = writes;
    }

    /** The embedder that the knowledge base was created with. */
    public EmbedderInfo embedder() {
        return embedder.info();
    }

    /**
     * The vectors of texts by the knowledge base's embedder, L2-normalised; for a text longer than the model's limit, the mean of
     * the vectors of its parts.
     *
     * @return (texts, dimension)
     * @throws IllegalStateException if the knowledge base was opened without its embedder
     */
    public float[][] of(List<String> texts, TextRole role) {
        EmbedderInfo info = embedder.info();
        float[][] vectors = new float[texts.size()][]; // (texts, dimension)
        List<String> fitting = new ArrayList<>();
        List<Integer> places = new ArrayList<>(); // of the fitting texts
        for (int i = 0; i < vectors.length; i++) {
            if (embedder.countTokens(texts.get(i)) <= info.maxTokens()) {
                fitting.add(texts.get(i));
                places.add(i);
            } else {
                vectors[i] = GivenVector.normalized(TextVector.of(embedder, texts.get(i), role), info);
            }
        }
        float[][] together = fitting.isEmpty() ? new float[0][] : embedder.embed(fitting, role);
        for (int i = 0; i < together.length; i++) {
            vectors[places.get(i)] = GivenVector.normalized(together[i], info);
        }
        return vectors;
    }

    /**
     * Ranks passages by their cosine similarity to a vector, as {@link KnowledgeBase#denseRetriever()} does by that of a
     * text. Scores are in [-1, 1].
     *
     * @param vector (dimension); finite and not zero
     * @param topK maximum number of hits, in [1, 10000]
     * @param filter condition that every hit satisfies
     * @throws IllegalArgumentException if the vector has another dimension, is zero or holds a value that is not finite
     */
    public List<Hit> nearest(float[] vector, int topK, Filter filter) {
        float[] direction = GivenVector.normalized(vector, embedder.info());
        return search.nearest(direction, Query.of("vector", topK).withFilter(filter));
    }

    /**
     * Adds documents to a source or replaces those with the same ids, in one commit; the other documents of the source stay.
     * The source is created if there is none with this name. Documents with equal texts are all retrieved.
     *
     * @param source its name; the source should hold no other documents, since an ingest of it deletes these
     * @throws IllegalArgumentException if two documents have the same id, or a vector has another dimension, is zero or
     *     holds a value that is not finite; nothing is written then
     */
    public void upsert(String source, List<EmbeddedDocument> documents) {
        KnowledgeWrites.checkName(source);
        writes.upsert(EmbeddedDocuments.checked(source, documents, embedder.info()));
    }
}
