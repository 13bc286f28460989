package dev.pollux.springboot;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code pollux.*}; {@code META-INF/spring-configuration-metadata.json} describes them. <em>Immutable.</em>
 *
 * @param cache folder for exported models; absent: the cache of Pollux
 * @param generator the model that writes
 * @param embedder the model that embeds
 * @param knowledge the knowledge base
 * @param vectorStore the vector store of Spring AI
 * @param shutdown the end of the application
 */
@ConfigurationProperties("pollux")
record PolluxProperties(
        @Nullable Path cache,
        @DefaultValue Generation generator,
        @DefaultValue Embedding embedder,
        @DefaultValue Knowledge knowledge,
        @DefaultValue Store vectorStore,
        @DefaultValue Shutdown shutdown) {

    /**
     * The model that writes.
     *
     * @param model path of a GGUF file or of a folder, {@code hf:owner/name}, or the name of an embedded model; absent: no generator
     * @param threads threads of the engine; absent: as many as the engine finds best
     * @param maxTokens most tokens of an answer
     * @param temperature absent: what the model's publisher recommends
     */
    record Generation(
            @Nullable String model,
            @Nullable Integer threads,
            @DefaultValue("512") int maxTokens,
            @Nullable Double temperature) {}

    /**
     * The model that embeds.
     *
     * @param model folder of an encoder; absent: the bundled one, if there is a knowledge base
     * @param workers number of texts that are embedded at once; absent: as many as the embedder finds best
     */
    record Embedding(@Nullable Path model, @Nullable Integer workers) {}

    /**
     * The knowledge base.
     *
     * @param folder its folder; absent: no knowledge base
     * @param readOnly whether it is opened for retrieval only
     * @param documents folders that are ingested when the application starts
     */
    record Knowledge(
            @Nullable Path folder,
            @DefaultValue("false") boolean readOnly,
            @DefaultValue List<Path> documents) {}

    /**
     * The vector store of Spring AI.
     *
     * @param source name of the source of the knowledge base that holds its documents
     */
    record Store(@DefaultValue("spring-ai") String source) {}

    /**
     * The end of the application.
     *
     * @param grace time that running generations have
     */
    record Shutdown(@DefaultValue("30s") Duration grace) {}
}
