package dev.pollux.rag.search;

import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.MetadataField;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Reranker;
import dev.pollux.retrieval.Retriever;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * The stages of a search over a knowledge base, in a fixed order, whichever order they are set in. From a question to its hits:
 *
 * <ol>
 *   <li>{@link #rewriting}: the question is made independent of the conversation
 *   <li>{@link #selfQuery}: a filter is taken from the question
 *   <li>{@link #multiQuery} or {@link #hypotheticalDocument}: further wordings
 *   <li>{@link KnowledgeBase#retriever()}, filtered
 *   <li>{@link #recent} and {@link #boost}: scores by metadata
 *   <li>{@link #rerank}: scores by a reranker
 *   <li>{@link #diversify}: maximal marginal relevance
 *   <li>{@link #expand} or {@link #parents}: the sections around the hits, or their parents
 * </ol>
 *
 * <pre>{@code
 * Retriever retriever = SearchPipeline.over(knowledge)
 *         .multiQuery(generator, 3)
 *         .rerank(LateInteraction.of(embedder), 30)
 *         .diversify(0.7, 50)
 *         .build();
 * }</pre>
 *
 * <p><em>Not thread-safe: one thread at a time</em>; the retriever that it builds is.
 */
public final class SearchPipeline {

    private final KnowledgeBase knowledge;
    private UnaryOperator<Retriever> words = UnaryOperator.identity();
    private UnaryOperator<Retriever> self = UnaryOperator.identity();
    private UnaryOperator<Retriever> rewrite = UnaryOperator.identity();
    private UnaryOperator<Retriever> boosts = UnaryOperator.identity();
    private UnaryOperator<Retriever> rerank = UnaryOperator.identity();
    private UnaryOperator<Retriever> diversify = UnaryOperator.identity();
    private UnaryOperator<Retriever> expand = UnaryOperator.identity();
    private Filter filter = Filter.all();

    private SearchPipeline(KnowledgeBase knowledge) {
        this.knowledge = knowledge;
    }

    /** A pipeline with the hybrid retriever of a knowledge base and no other stage. */
    public static SearchPipeline over(KnowledgeBase knowledge) {
        return new SearchPipeline(knowledge);
    }

    /** Fixes a filter that no query and no model can leave, such as that of a tenant. */
    public SearchPipeline filter(Filter fixed) {
        filter = fixed;
        return this;
    }

    /** See {@link QueryExpansion#rewritten}. */
    public SearchPipeline rewriting(Generator generator, Supplier<List<Message>> history) {
        rewrite = retriever -> QueryExpansion.rewritten(retriever, generator, history);
        return this;
    }

    /** See {@link QueryExpansion#selfQuery}, with the fields of the knowledge base that the fixed filter shows. */
    public SearchPipeline selfQuery(Generator generator) {
        self = retriever -> QueryExpansion.selfQuery(
                retriever,
                generator,
                () -> knowledge.view(filter).fields().stream()
                        .map(SearchPipeline::described)
                        .collect(Collectors.joining(", ")),
                text -> knowledge.view(filter).filter(text));
        return this;
    }

    private static String described(MetadataField field) {
        return field.name() + " ("
                + field.types().stream()
                        .map(type -> type.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(" or "))
                + ")";
    }

    /** See {@link QueryExpansion#multiQuery}; replaces {@link #hypotheticalDocument}. */
    public SearchPipeline multiQuery(Generator generator, int variants) {
        words = retriever -> QueryExpansion.multiQuery(retriever, generator, variants);
        return this;
    }

    /** See {@link QueryExpansion#hypotheticalDocument}; replaces {@link #multiQuery}. */
    public SearchPipeline hypotheticalDocument(Generator generator) {
        words = retriever ->
                QueryExpansion.hypotheticalDocument(knowledge.denseRetriever().filtered(filter), retriever, generator);
        return this;
    }

    /** See {@link Boosts#recent}; after earlier boosts. */
    public SearchPipeline recent(String field, Duration halfLife, Clock clock) {
        UnaryOperator<Retriever> before = boosts;
        boosts = retriever -> Boosts.recent(before.apply(retriever), field, halfLife, clock);
        return this;
    }

    /** See {@link Boosts#matching}; after earlier boosts. */
    public SearchPipeline boost(Filter preferred, double factor) {
        UnaryOperator<Retriever> before = boosts;
        boosts = retriever -> Boosts.matching(before.apply(retriever), preferred, factor);
        return this;
    }

    /** See {@link Retriever#reranked}. */
    public SearchPipeline rerank(Reranker reranker, int depth) {
        rerank = retriever -> retriever.reranked(reranker, depth);
        return this;
    }

    /** See {@link Diversity#mmr}, with the vectors of the knowledge base. */
    public SearchPipeline diversify(double lambda, int depth) {
        diversify = retriever -> Diversity.mmr(retriever, knowledge::vectors, lambda, depth);
        return this;
    }

    /** See {@link ContextExpansion#sections}; replaces {@link #parents}. */
    public SearchPipeline expand(int characters) {
        expand = retriever -> ContextExpansion.sections(retriever, knowledge, characters);
        return this;
    }

    /** See {@link ContextExpansion#parents}; replaces {@link #expand}. */
    public SearchPipeline parents() {
        expand = retriever -> ContextExpansion.parents(retriever, knowledge);
        return this;
    }

    /** The retriever with the stages that are set. */
    public Retriever build() {
        Retriever base = words.apply(knowledge.retriever().filtered(filter));
        Retriever scored = rerank.apply(boosts.apply(base));
        return rewrite.apply(self.apply(expand.apply(diversify.apply(scored))));
    }
}
