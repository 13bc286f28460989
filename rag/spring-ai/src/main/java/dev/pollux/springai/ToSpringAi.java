package dev.pollux.springai;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Filter;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.vectorstore.VectorStore;

/**
 * Pollux as models and vector stores of Spring AI.
 *
 * <pre>{@code
 * ChatClient chat = ChatClient.create(ToSpringAi.chatModel(generator));
 * VectorStore documents = ToSpringAi.vectorStore(knowledge, "documents");
 * }</pre>
 *
 * <p>The results are thread-safe and hold no resources of their own: the caller closes the Pollux object after its last use.
 * What a request of Spring AI asks for and Pollux does not have, such as images, is refused with {@link
 * IllegalArgumentException}. Errors of Pollux are passed on as they are.
 */
public final class ToSpringAi {

    private ToSpringAi() {}

    /**
     * An embedding model. {@code embed(String)}, by which vector stores embed their queries, takes the text as a query; every
     * other method takes texts as passages.
     *
     * @param embedder the embedder
     */
    public static EmbeddingModel embeddingModel(Embedder embedder) {
        return new PolluxEmbeddingModel(embedder);
    }

    /**
     * A chat model with the sampling of the model's publisher ({@link dev.pollux.generation.GeneratorInfo#sampling()}) and at
     * most 512 tokens; see {@link #chatModel(Generator, GenerationOptions)}.
     *
     * @param generator the generator
     */
    public static ChatModel chatModel(Generator generator) {
        return chatModel(generator, generator.info().sampling());
    }

    /**
     * A chat model. Options of a prompt replace those given here; others of a subclass of {@code ChatOptions} are ignored. Tools
     * are offered to the model, whose calls are in the answer; {@code ChatClient} executes them. Reasoning is in the metadata of
     * the message as {@code reasoning}. Finish reasons are {@code STOP}, {@code LENGTH}, {@code TOOL_CALLS} and {@code
     * CANCELLED}.
     *
     * <p>A stream runs on {@code Schedulers.boundedElastic()}: it computes a token when its subscriber asks for one, and ends with a response
     * without text that has finish reason, usage and tool calls. To cancel the subscription ends the generation.
     *
     * @param generator the generator
     * @param options options of prompts that do not set their own
     */
    public static ChatModel chatModel(Generator generator, GenerationOptions options) {
        return new PolluxChatModel(generator, options);
    }

    /**
     * A vector store without observations; see {@link #vectorStore(KnowledgeBase, String, ObservationRegistry)}.
     *
     * @param knowledge a knowledge base that is open with its embedder
     * @param source name of the source that holds the documents; one that no ingest uses
     */
    public static VectorStore vectorStore(KnowledgeBase knowledge, String source) {
        return vectorStore(knowledge, source, ObservationRegistry.NOOP);
    }

    /**
     * A vector store in a knowledge base. It holds documents as Spring AI cuts them, one passage each, in a source of its own,
     * and finds these alone. Scores are cosines, exact and filtered before the best are chosen. The vector of a document longer than the
     * embedder's limit is the mean of the vectors of its parts. Metadata keep their types: texts, numbers, booleans and lists of
     * them, in which whole numbers become Long and others Double; other values become texts.
     *
     * <p>Filters: every operator. A field of a list equals a value if its text does. {@code <}, {@code <=}, {@code >} and {@code >=} compare numbers and ISO dates.
     *
     * @param knowledge a knowledge base that is open with its embedder
     * @param source name of the source that holds the documents; one that no ingest uses
     * @param observations where calls are observed
     */
    public static VectorStore vectorStore(KnowledgeBase knowledge, String source, ObservationRegistry observations) {
        return KnowledgeVectorStore.of(knowledge, source, observations);
    }

    /**
     * A filter as Spring AI has it. Dates are compared as texts in ISO 8601.
     *
     * @param filter the filter
     * @throws IllegalArgumentException if it has {@code contains}, or is {@link Filter#all()}, which Spring AI does not have
     */
    public static org.springframework.ai.vectorstore.filter.Filter.Expression filter(Filter filter) {
        return FilterToSpringAi.of(filter);
    }
}
