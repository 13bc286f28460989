package dev.pollux.springboot;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.springai.ToSpringAi;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/**
 * Models and vector store of Spring AI. Where an application has several providers, {@code spring.ai.model.chat}, {@code
 * spring.ai.model.embedding} and {@code spring.ai.vectorstore.type} choose one, as for those of Spring AI; the name here is {@code
 * pollux}.
 */
@AutoConfiguration(
        after = PolluxAutoConfiguration.class,
        beforeName = "org.springframework.ai.model.chat.client.autoconfigure.ChatClientAutoConfiguration")
public final class PolluxSpringAiAutoConfiguration {

    private static final String NAME = "pollux";

    PolluxSpringAiAutoConfiguration() {}

    @Bean
    @ConditionalOnBean(Generator.class)
    @ConditionalOnMissingBean(ChatModel.class)
    @ConditionalOnProperty(name = "spring.ai.model.chat", havingValue = NAME, matchIfMissing = true)
    ChatModel polluxChatModel(Generator generator, PolluxProperties properties) {
        GenerationOptions.Builder options = generator.info().sampling().toBuilder()
                .maxTokens(properties.generator().maxTokens());
        if (properties.generator().temperature() != null) {
            options.temperature(properties.generator().temperature());
        }
        return ToSpringAi.chatModel(generator, options.build());
    }

    @Bean
    @ConditionalOnBean(Embedder.class)
    @ConditionalOnMissingBean(EmbeddingModel.class)
    @ConditionalOnProperty(name = "spring.ai.model.embedding", havingValue = NAME, matchIfMissing = true)
    EmbeddingModel polluxEmbeddingModel(Embedder embedder) {
        return ToSpringAi.embeddingModel(embedder);
    }

    @Bean
    @ConditionalOnBean(KnowledgeBase.class)
    @ConditionalOnMissingBean(VectorStore.class)
    @ConditionalOnProperty(name = "spring.ai.vectorstore.type", havingValue = NAME, matchIfMissing = true)
    VectorStore polluxVectorStore(
            KnowledgeBase knowledge, PolluxProperties properties, ObjectProvider<ObservationRegistry> observations) {
        return ToSpringAi.vectorStore(
                knowledge, properties.vectorStore().source(), observations.getIfUnique(() -> ObservationRegistry.NOOP));
    }
}
