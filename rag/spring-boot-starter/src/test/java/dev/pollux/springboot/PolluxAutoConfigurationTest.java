package dev.pollux.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.Shutdown;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import dev.pollux.twin.Twin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.vectorstore.VectorStore;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.DefaultApplicationArguments;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@NoLeaks
class PolluxAutoConfigurationTest {

    @TempDir
    Path temp;

    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    PolluxAutoConfiguration.class,
                    PolluxHealthAutoConfiguration.class,
                    PolluxSpringAiAutoConfiguration.class));

    /** What the starter sets for the whole JVM. */
    @AfterEach
    void reset() {
        Shutdown.grace(Duration.ofSeconds(Shutdown.GRACE_SECONDS));
    }

    @Test
    void withoutPropertiesNothingIsOpened() {
        application.run(context -> assertThat(context)
                .doesNotHaveBean(Generator.class)
                .doesNotHaveBean(Embedder.class)
                .doesNotHaveBean(KnowledgeBase.class)
                .doesNotHaveBean(ChatModel.class)
                .doesNotHaveBean(EmbeddingModel.class)
                .doesNotHaveBean(VectorStore.class)
                .doesNotHaveBean(Twin.class)
                .doesNotHaveBean("polluxHealthIndicator"));
    }

    @Test
    void aModelIsAChatModelAndIsClosedWithTheContext() throws IOException {
        Generator[] opened = new Generator[1];
        withModel()
                .withPropertyValues("pollux.generator.max-tokens=4", "pollux.generator.temperature=0")
                .run(context -> {
                    opened[0] = context.getBean(Generator.class);
                    ChatModel chat = context.getBean(ChatModel.class);
                    assertThat(chat.getOptions().getMaxTokens()).isEqualTo(4);
                    assertThat(chat.getOptions().getTemperature()).isZero();
                    assertThat(chat.call(new org.springframework.ai.chat.prompt.Prompt("Once"))
                                    .getMetadata()
                                    .getUsage()
                                    .getCompletionTokens())
                            .isBetween(1, 4);
                    assertThat(context).doesNotHaveBean(EmbeddingModel.class);
                });
        assertThat(((DrainingGenerator) opened[0]).isClosed()).isTrue();
    }

    @Test
    void aFolderIsAKnowledgeBaseAVectorStoreARetrieverAndATwin() throws IOException {
        Path documents = Files.createDirectories(temp.resolve("documents"));
        Files.writeString(documents.resolve("boat.md"), "The boat lies in the harbour of Husum.");
        application
                .withUserConfiguration(OwnEmbedder.class)
                .withPropertyValues(
                        "pollux.knowledge.folder=" + temp.resolve("kb"),
                        "pollux.knowledge.documents=" + documents,
                        "pollux.vector-store.source=notes")
                .run(context -> {
                    ingest(context);
                    assertThat(context.getBean(Twin.class)
                                    .ask("In which harbour does the boat lie?")
                                    .text())
                            .contains("Husum");
                    assertThat(context).hasSingleBean(Retriever.class).hasSingleBean(EmbeddingModel.class);
                    VectorStore store = context.getBean(VectorStore.class);
                    store.add(List.of(new Document("a", "The plum tree.", java.util.Map.of())));
                    assertThat(store.similaritySearch("plum tree"))
                            .extracting(Document::getId)
                            .containsExactly("a");
                    assertThat(context.getBean(KnowledgeBase.class).sources())
                            .extracting(source -> source.name())
                            .contains("notes");
                });
    }

    private static void ingest(AssertableApplicationContext context) throws Exception {
        context.getBean(ApplicationRunner.class).run(new DefaultApplicationArguments());
    }

    @Test
    void theBundledEmbedderServesAKnowledgeBase() {
        application
                .withPropertyValues("pollux.knowledge.folder=" + temp.resolve("kb"), "pollux.embedder.workers=1")
                .run(context -> assertThat(context).hasSingleBean(OnnxEmbedder.class));
    }

    @Test
    void aKnowledgeBaseIsReadOnlyOnRequest() {
        application
                .withUserConfiguration(OwnEmbedder.class)
                .withPropertyValues("pollux.knowledge.folder=" + temp.resolve("kb"), "pollux.knowledge.read-only=true")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(dev.pollux.StorageException.class)); // there is none to read
    }

    @Test
    void beansOfTheApplicationComeFirst() {
        application.withUserConfiguration(OwnGenerator.class).run(context -> {
            assertThat(context).hasSingleBean(Generator.class).doesNotHaveBean(DrainingGenerator.class);
            assertThat(context.getBean(ChatModel.class).call("Where?")).isEqualTo("In Husum.");
        });
        application
                .withUserConfiguration(OwnGenerator.class)
                .withPropertyValues("spring.ai.model.chat=openai")
                .run(context -> assertThat(context).doesNotHaveBean(ChatModel.class));
    }

    @Test
    void aModelThatIsNotThereIsNamed() {
        application
                .withPropertyValues("pollux.generator.model=" + temp.resolve("nothing"))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(dev.pollux.StorageException.class)
                        .hasMessageStartingWith("There is no model '" + temp.resolve("nothing") + "'"));
    }

    @Test
    void healthNamesWhatIsOpen() throws IOException {
        withModel()
                .withUserConfiguration(OwnEmbedder.class)
                .withPropertyValues("pollux.knowledge.folder=" + temp.resolve("kb"))
                .run(context -> {
                    HealthIndicator indicator = context.getBean("polluxHealthIndicator", HealthIndicator.class);
                    Health health = indicator.health(true);
                    assertThat(health.getStatus()).isEqualTo(Status.UP);
                    assertThat(health.getDetails()).containsOnlyKeys("generator", "knowledge");
                    assertThat(health.getDetails().get("knowledge").toString()).contains("passages=0");
                    assertThat(health.getDetails().get("generator").toString()).contains("running=0");

                    context.getBean(Generator.class).close();
                    assertThat(indicator.health(false).getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
                    context.getBean(KnowledgeBase.class).close();
                    assertThat(indicator.health(false).getStatus()).isEqualTo(Status.DOWN);
                });
    }

    @Test
    void healthIsLeftOutOnRequestAndWithoutTheActuator() throws IOException {
        withModel()
                .withPropertyValues("management.health.pollux.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean("polluxHealthIndicator"));
        withModel()
                .withClassLoader(new FilteredClassLoader(HealthIndicator.class))
                .run(context ->
                        assertThat(context).hasSingleBean(Generator.class).doesNotHaveBean("polluxHealthIndicator"));
    }

    @Test
    void closingWaitsForARunningGeneration() throws IOException {
        assertThat(finishOfAStreamDuringShutdown("30s")).isEqualTo(FinishReason.MAX_TOKENS);
    }

    @Test
    void afterItsTimeARunningGenerationIsCancelled() throws IOException {
        assertThat(finishOfAStreamDuringShutdown("0s")).isEqualTo(FinishReason.CANCELLED);
    }

    /** Generates while the context is closed from another thread. */
    private FinishReason finishOfAStreamDuringShutdown(String grace) throws IOException {
        FinishReason[] finish = new FinishReason[1];
        withModel().withPropertyValues("pollux.shutdown.grace=" + grace).run(context -> {
            GenerationOptions options =
                    GenerationOptions.builder().maxTokens(64).minTokens(64).build();
            CompletableFuture<Void> closing;
            try (GenerationStream stream =
                    context.getBean(Generator.class).stream(Prompt.text("Once upon a time"), options)) {
                assertThat(stream.iterator().hasNext()).isTrue();
                ConfigurableApplicationContext source = context.getSourceApplicationContext();
                closing = CompletableFuture.runAsync(source::close);
                if (grace.equals("0s")) {
                    closing.join(); // nothing waits
                }
                while (!source.isClosed()) {
                    Thread.onSpinWait();
                }
                finish[0] = stream.result().finish();
            }
            closing.join();
        });
        return finish[0];
    }

    private ApplicationContextRunner withModel() throws IOException {
        Path model = temp.resolve("model");
        if (Files.notExists(model)) {
            TinyDecoder.llama(1).write(model);
        }
        return application.withPropertyValues(
                "pollux.generator.model=" + model,
                "pollux.generator.threads=1",
                "pollux.cache=" + temp.resolve("cache"));
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnEmbedder {
        @Bean(destroyMethod = "close")
        Embedder embedder() {
            return FakeEmbedder.open();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnGenerator {
        @Bean(destroyMethod = "close")
        Generator generator() {
            return FakeGenerator.saying("In Husum.");
        }
    }
}
