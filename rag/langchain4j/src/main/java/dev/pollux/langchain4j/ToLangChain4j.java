package dev.pollux.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Reranker;
import dev.pollux.retrieval.Retriever;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * Pollux as models, retrievers and stores of LangChain4j.
 *
 * <pre>{@code
 * ChatModel chat = ToLangChain4j.chatModel(generator);
 * ContentRetriever documents = ToLangChain4j.contentRetriever(knowledge.retriever(), 5);
 * }</pre>
 *
 * <p>The results are thread-safe and hold no resources of their own: the caller closes the Pollux object after its last use.
 * What a request of LangChain4j asks for and Pollux does not have, such as images, is refused with {@link
 * dev.langchain4j.exception.UnsupportedFeatureException}. Errors of Pollux are passed on as they are.
 */
public final class ToLangChain4j {

    private ToLangChain4j() {}

    /**
     * An embedding model for passages, as {@link #embeddingModel(Embedder, TextRole)}.
     *
     * @param embedder the embedder
     */
    public static EmbeddingModel embeddingModel(Embedder embedder) {
        return embeddingModel(embedder, TextRole.PASSAGE);
    }

    /**
     * An embedding model. A request may set the input type: {@code QUERY} or {@code DOCUMENT}.
     *
     * @param embedder the embedder
     * @param role the role of texts of requests without an input type; it matters for models with a prefix for each role
     */
    public static EmbeddingModel embeddingModel(Embedder embedder, TextRole role) {
        return new PolluxEmbeddingModel(embedder, role);
    }

    /**
     * A scoring model; higher scores are better.
     *
     * @param reranker the reranker
     */
    public static ScoringModel scoringModel(Reranker reranker) {
        return new PolluxScoringModel(reranker);
    }

    /**
     * A content retriever. A content is the lead and the text of a passage. Its metadata are those of the document and, where
     * the document does not have these fields, {@code source}, {@code document}, {@code path}, {@code heading} and {@code
     * location}. Score and id of the passage are in {@link dev.langchain4j.rag.content.Content#metadata()}.
     *
     * @param retriever the retriever
     * @param maxResults maximum number of contents, in [1, 10000]
     */
    public static ContentRetriever contentRetriever(Retriever retriever, int maxResults) {
        Query.of("checks maxResults", maxResults);
        return contentRetriever(retriever, query -> Query.of(query.text(), maxResults));
    }

    /**
     * A content retriever with queries of the host, for example with a filter for the user of a conversation.
     *
     * @param retriever the retriever
     * @param queries the query of Pollux for a query of LangChain4j
     */
    public static ContentRetriever contentRetriever(
            Retriever retriever, Function<dev.langchain4j.rag.query.Query, Query> queries) {
        return new PolluxContentRetriever(retriever, queries);
    }

    /**
     * A chat model with the sampling of the model's publisher ({@link dev.pollux.generation.GeneratorInfo#sampling()}) and at most 512 tokens; see
     * {@link #chatModel(Generator, GenerationOptions)}.
     *
     * @param generator the generator
     */
    public static ChatModel chatModel(Generator generator) {
        return chatModel(generator, generator.info().sampling());
    }

    /**
     * A chat model. Tools are offered to the model, whose calls are in the answer; the caller executes them. The parameters of
     * a request replace those of {@code options}. A model that does not chat continues a single user message.
     *
     * @param generator the generator
     * @param options options of requests that do not set their own
     */
    public static ChatModel chatModel(Generator generator, GenerationOptions options) {
        return new PolluxChatModel(new ChatRequests(generator, options));
    }

    /**
     * A streaming chat model, as {@link #chatModel(Generator)}.
     *
     * @param generator the generator
     * @param executor runs each generation to its end, and calls the handler
     */
    public static StreamingChatModel streamingChatModel(Generator generator, Executor executor) {
        return streamingChatModel(generator, generator.info().sampling(), executor);
    }

    /**
     * A streaming chat model, as {@link #chatModel(Generator, GenerationOptions)}. After {@code
     * PartialResponseContext.streamingHandle().cancel()} the handler gets the text so far as complete response, with finish
     * reason {@code OTHER}. If the handler throws an exception, the generation ends and {@code onError} gets it.
     *
     * @param generator the generator
     * @param options options of requests that do not set their own
     * @param executor runs each generation to its end, and calls the handler
     */
    public static StreamingChatModel streamingChatModel(
            Generator generator, GenerationOptions options, Executor executor) {
        return new PolluxStreamingChatModel(new ChatRequests(generator, options), executor);
    }

    /**
     * An embedding store in a knowledge base. It holds the vectors that LangChain4j computes, one passage for each segment, in a source of its
     * own, and finds these alone. Scores are (cosine + 1) / 2, exact and filtered before the best are chosen. Metadata keep
     * their types. {@code ContainsString} is refused, since Pollux compares no parts of texts.
     *
     * @param knowledge a knowledge base whose embedder has the dimension of the vectors
     * @param source name of the source that holds the segments; one that no ingest uses
     */
    public static EmbeddingStore<TextSegment> embeddingStore(KnowledgeBase knowledge, String source) {
        return new KnowledgeEmbeddingStore(knowledge, source);
    }

    /**
     * A filter as LangChain4j has it. Dates are compared as texts in ISO 8601, booleans as the texts {@code true} and {@code
     * false}.
     *
     * @param filter the filter
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if it has {@code exists} or {@code contains}, which
     *     LangChain4j does not have, or is {@link Filter#all()}, for which LangChain4j has no filter
     */
    public static dev.langchain4j.store.embedding.filter.Filter filter(Filter filter) {
        return FilterToLangChain4j.of(filter);
    }
}
