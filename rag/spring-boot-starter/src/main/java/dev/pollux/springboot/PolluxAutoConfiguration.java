package dev.pollux.springboot;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.Generator;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.engine.Shutdown;
import dev.pollux.inference.hub.ModelLocator;
import dev.pollux.inference.hub.PolluxCache;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Retriever;
import dev.pollux.twin.Twin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;

/** The beans of Pollux. Each yields to one of the application; the context closes those made here, in reverse order. */
@AutoConfiguration
@EnableConfigurationProperties(PolluxProperties.class)
public final class PolluxAutoConfiguration {

    /** Pollux ends after Spring: its own time is longer by this, so that the context closes the models first. */
    private static final Duration AFTER_SPRING = Duration.ofSeconds(15);

    private static final Duration MOST_GRACE = Duration.ofHours(1);

    PolluxAutoConfiguration() {}

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean(Generator.class)
    @ConditionalOnProperty("pollux.generator.model")
    DrainingGenerator polluxGenerator(PolluxProperties properties) {
        Duration grace = properties.shutdown().grace().plus(AFTER_SPRING);
        Shutdown.grace(grace.compareTo(MOST_GRACE) > 0 ? MOST_GRACE : grace);
        EngineOptions.Builder options = EngineOptions.builder();
        if (properties.generator().threads() != null) {
            options.threads(properties.generator().threads());
        }
        if (properties.cache() != null) {
            options.cache(properties.cache());
        }
        String name = Objects.requireNonNull(properties.generator().model());
        Path cache = Objects.requireNonNullElseGet(properties.cache(), PolluxCache::directory);
        Path model = ModelLocator.locating(name, cache).run();
        return new DrainingGenerator(OnnxGenerator.open(model, options.build()));
    }

    @Bean
    @ConditionalOnBean(DrainingGenerator.class)
    GenerationLifecycle polluxGenerationLifecycle(DrainingGenerator generator, PolluxProperties properties) {
        return new GenerationLifecycle(generator, properties.shutdown().grace());
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean(Embedder.class)
    @Conditional(EmbedderIsNeeded.class)
    OnnxEmbedder polluxEmbedder(PolluxProperties properties) {
        EmbedderOptions.Builder options = EmbedderOptions.builder();
        if (properties.embedder().workers() != null) {
            options.workers(properties.embedder().workers());
        }
        if (properties.cache() != null) {
            options.cache(properties.cache());
        }
        Path model = properties.embedder().model();
        return model == null ? OnnxEmbedder.bundled(options.build()) : OnnxEmbedder.open(model, options.build());
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean(KnowledgeBase.class)
    @ConditionalOnProperty("pollux.knowledge.folder")
    KnowledgeBase polluxKnowledgeBase(Embedder embedder, PolluxProperties properties) {
        Path folder = Objects.requireNonNull(properties.knowledge().folder());
        return properties.knowledge().readOnly()
                ? KnowledgeBase.openReadOnly(folder, embedder)
                : KnowledgeBase.open(folder, embedder);
    }

    @Bean
    @ConditionalOnMissingBean(Retriever.class)
    @ConditionalOnBean(KnowledgeBase.class)
    Retriever polluxRetriever(KnowledgeBase knowledge) {
        return knowledge.retriever();
    }

    @Bean
    @ConditionalOnMissingBean(Twin.class)
    @ConditionalOnBean({KnowledgeBase.class, Retriever.class, Embedder.class})
    Twin polluxTwin(
            Retriever retriever, Embedder embedder, KnowledgeBase knowledge, ObjectProvider<Generator> generator) {
        Twin.Builder twin =
                Twin.builder().retriever(retriever).embedder(embedder).scale(knowledge::scale);
        generator.ifUnique(twin::generator);
        return twin.build();
    }

    /** Runs before the application counts as ready. */
    @Bean
    @ConditionalOnBean(KnowledgeBase.class)
    ApplicationRunner polluxIngest(KnowledgeBase knowledge, PolluxProperties properties) {
        return arguments -> properties
                .knowledge()
                .documents()
                .forEach(folder ->
                        knowledge.ingest(DocumentSource.folder(folder)).run());
    }

    /** A model is named, or there is a knowledge base. */
    static final class EmbedderIsNeeded extends AnyNestedCondition {

        EmbedderIsNeeded() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty("pollux.embedder.model")
        static final class Model {}

        @ConditionalOnProperty("pollux.knowledge.folder")
        static final class Knowledge {}
    }
}
