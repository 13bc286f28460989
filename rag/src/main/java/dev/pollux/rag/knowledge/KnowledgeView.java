package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Retriever;
import java.util.List;

/**
 * The part of a knowledge base that satisfies a filter, such as the documents of one tenant. Nothing outside it is found,
 * counted, or named: no filter of a query, no copy of a document and no name of a field leads out of it.
 *
 * <pre>{@code
 * KnowledgeView tenant = knowledge.view(Filter.equal("tenant", "acme"));
 * List<Hit> hits = tenant.retriever().retrieve(Query.of("parental leave"));
 * }</pre>
 *
 * <p>Term statistics of BM25 are those of the whole knowledge base. The view is valid as long as its knowledge base is open.
 *
 * <p><em>Thread-safe.</em>
 */
public final class KnowledgeView {

    private final KnowledgeBase knowledge;
    private final Filter filter;

    KnowledgeView(KnowledgeBase knowledge, Filter filter) {
        this.knowledge = knowledge;
        this.filter = filter;
    }

    /** The filter that every passage and document of this view satisfies. */
    public Filter filter() {
        return filter;
    }

    /** As {@link KnowledgeBase#retriever()}, in this view. */
    public Retriever retriever() {
        return knowledge.retriever().filtered(filter);
    }

    /** As {@link KnowledgeBase#denseRetriever()}, in this view. */
    public Retriever denseRetriever() {
        return knowledge.denseRetriever().filtered(filter);
    }

    /** As {@link KnowledgeBase#lexicalRetriever()}, in this view. */
    public Retriever lexicalRetriever() {
        return knowledge.lexicalRetriever().filtered(filter);
    }

    /** A view of the documents that satisfy another filter as well. */
    public KnowledgeView view(Filter further) {
        return new KnowledgeView(knowledge, filter.and(further));
    }

    /** The documents of this view, in no particular order. */
    public List<KnownDocument> documents() {
        return knowledge.documents(filter);
    }

    /** The fields of the metadata of its documents, sorted by name. */
    public List<MetadataField> fields() {
        return knowledge.fields(filter).all();
    }

    /**
     * Parses a filter and checks that the documents of this view have its fields.
     *
     * @throws IllegalArgumentException if the text does not parse, or a field does not exist in this view
     */
    public Filter filter(String text) {
        return knowledge.fields(filter).checked(Filter.parse(text));
    }

    /** The filter and the knowledge base. */
    @Override
    public String toString() {
        return "KnowledgeView[" + filter + ", " + knowledge + "]";
    }
}
