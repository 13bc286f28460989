package dev.pollux.springai;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.internal.foreign.ForeignEmbedder;
import dev.pollux.internal.foreign.ForeignGenerator;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Retriever;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.vectorstore.VectorStore;

/**
 * Models and vector stores of Spring AI in Pollux: a twin that writes with a remote model, or finds passages in one of Spring AI's
 * vector stores.
 *
 * <pre>{@code
 * Generator generator = FromSpringAi.generator(chatModel, new GeneratorInfo("remote", 128_000, true));
 * Twin twin = Twin.builder().retriever(knowledge.retriever()).embedder(embedder).generator(generator).build();
 * }</pre>
 *
 * <p>The results are as thread-safe as the objects of Spring AI. To close one of them closes nothing of Spring AI. Exceptions of
 * Spring AI are passed on as they are.
 */
public final class FromSpringAi {

    private FromSpringAi() {}

    /**
     * An embedder. Vectors are L2-normalised. A query is embedded by {@code embed(String)}, passages by {@code embed(List)}.
     * Tokens are estimated: four ASCII characters or one other character are a token.
     *
     * @param model the model
     * @param info what the model is, which Spring AI does not know: the fingerprint must differ for models with different
     *     vectors, and texts of more than {@code maxTokens} are refused
     */
    public static Embedder embedder(EmbeddingModel model, EmbedderInfo info) {
        return new ForeignEmbedder(
                (texts, role) -> role == TextRole.QUERY
                        ? texts.stream().map(model::embed).toList()
                        : model.embed(texts),
                info);
    }

    /**
     * A generator, whose deltas come as the model writes them, or as one if the model does not stream. Conversations are passed
     * on with their tools, whose calls are returned and not executed; {@code Prompt.text} is refused. Of the options, the model
     * gets maxTokens, temperature, topK, topP, presence and frequency penalty, and stop strings; others are refused unless they
     * have their default. The metadata {@code reasoning} of a message is its reasoning. Token counts before a generation are
     * estimates: four ASCII characters or one other character are a token.
     *
     * @param model the model; its threads hand the deltas to the reader of the stream
     * @param info what the model is, which Spring AI does not know; its sampling is used as far as it can be passed on
     */
    public static Generator generator(ChatModel model, GeneratorInfo info) {
        return new ForeignGenerator("Spring AI", info, new HostedModel(model));
    }

    /**
     * A retriever on a vector store, which applies the filters of queries ({@link ToSpringAi#filter}). Scores are those of the
     * store. A passage is a document of Spring AI; its document is named by the metadata {@code file_name}, {@code source}
     * or {@code url}, or else by the id.
     *
     * @param store the store
     * @param name name of the source of its passages
     */
    public static Retriever retriever(VectorStore store, String name) {
        return new HostedRetriever(store, name);
    }

    /**
     * A filter of Spring AI as Pollux has it.
     *
     * @param filter the filter
     * @throws IllegalArgumentException if it orders texts that are no ISO dates, or is not well-formed
     */
    public static Filter filter(org.springframework.ai.vectorstore.filter.Filter.Expression filter) {
        return FilterFromSpringAi.of(filter);
    }
}
