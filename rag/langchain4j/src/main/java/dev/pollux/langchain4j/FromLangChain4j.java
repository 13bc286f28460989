package dev.pollux.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.langchain4j.store.embedding.EmbeddingStore;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.internal.foreign.ForeignEmbedder;
import dev.pollux.internal.foreign.ForeignGenerator;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Reranker;
import dev.pollux.retrieval.Retriever;
import java.util.List;

/**
 * Models, retrievers and stores of LangChain4j in Pollux: a twin that writes with a remote model, or finds passages in one of
 * LangChain4j's vector stores.
 *
 * <pre>{@code
 * Generator generator = FromLangChain4j.generator(chatModel, new GeneratorInfo("remote", 128_000, true));
 * Twin twin = Twin.builder().retriever(knowledge.retriever()).embedder(embedder).generator(generator).build();
 * }</pre>
 *
 * <p>The results are as thread-safe as the objects of LangChain4j. To close one of them closes nothing of LangChain4j.
 * Exceptions of LangChain4j are passed on as they are.
 */
public final class FromLangChain4j {

    private FromLangChain4j() {}

    /**
     * An embedder. Vectors are L2-normalised. Roles are passed on as input type if the model supports it. Tokens are
     * estimated: four ASCII characters or one other character are a token.
     *
     * @param model the model
     * @param info what the model is, which LangChain4j does not know: the fingerprint must differ for models with different
     *     vectors, and texts of more than {@code maxTokens} are refused
     */
    public static Embedder embedder(EmbeddingModel model, EmbedderInfo info) {
        return new ForeignEmbedder((texts, role) -> vectors(model, texts, role), info);
    }

    /** One vector of each text, as the model makes it. */
    static List<float[]> vectors(EmbeddingModel model, List<String> texts, TextRole role) {
        EmbeddingRequest.Builder request = EmbeddingRequest.builder()
                .textSegments(texts.stream()
                        .map(text -> TextSegment.from(text.isBlank() ? "." : text)) // a segment has text
                        .toList());
        if (model.supportedParameters().contains(EmbeddingRequestParameters.INPUT_TYPE)) {
            request.parameters(EmbeddingRequestParameters.builder()
                    .inputType(role == TextRole.QUERY ? EmbeddingInputType.QUERY : EmbeddingInputType.DOCUMENT)
                    .build());
        }
        return model.embed(request.build()).embeddings().stream()
                .map(Embedding::vector)
                .toList();
    }

    /**
     * A reranker; higher scores are better.
     *
     * @param model the model
     */
    public static Reranker reranker(ScoringModel model) {
        return new HostedReranker(model);
    }

    /**
     * A generator whose text comes as one delta. Conversations are passed on with their tools; {@code Prompt.text} is
     * refused, since models of LangChain4j read conversations only. Of the options, the model gets maxTokens, temperature,
     * topK, topP, presence and frequency penalty, and stop strings; others are refused unless they have their default. Token
     * counts before a generation are estimates: four ASCII characters or one other character are a token.
     *
     * @param model the model
     * @param info what the model is, which LangChain4j does not know; its sampling is used as far as it can be passed on
     */
    public static Generator generator(ChatModel model, GeneratorInfo info) {
        return new ForeignGenerator("LangChain4j", info, HostedModel.blocking(model));
    }

    /**
     * A generator whose deltas come as the model writes them; otherwise as {@link #generator(ChatModel, GeneratorInfo)}. The
     * model's threads hand the deltas to the reader of the stream.
     *
     * @param model the model
     * @param info what the model is
     */
    public static Generator generator(StreamingChatModel model, GeneratorInfo info) {
        return new ForeignGenerator("LangChain4j", info, HostedModel.streaming(model));
    }

    /**
     * A retriever that cannot filter. If the contents have scores in descending order, these are the scores of the hits;
     * otherwise the score is 1 / rank.
     *
     * @param retriever the content retriever
     * @param name name of the source of its passages
     */
    public static Retriever retriever(ContentRetriever retriever, String name) {
        return new HostedRetriever(retriever, name);
    }

    /**
     * A retriever on a vector store, which applies the filters of queries ({@link ToLangChain4j#filter}). Scores are those of
     * the store. A passage is a segment; its document is named by the metadata {@code file_name}, {@code document} or {@code
     * url}, or else by the id of the segment.
     *
     * @param store the store
     * @param model the model that its vectors were made with
     * @param name name of the source of its passages
     */
    public static Retriever retriever(EmbeddingStore<TextSegment> store, EmbeddingModel model, String name) {
        return new HostedStoreRetriever(store, model, name);
    }

    /**
     * A filter of LangChain4j as Pollux has it.
     *
     * @param filter the filter
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if it has {@code ContainsString}, an order of texts, or is
     *     of a class of the host
     */
    public static Filter filter(dev.langchain4j.store.embedding.filter.Filter filter) {
        return FilterFromLangChain4j.of(filter);
    }
}
