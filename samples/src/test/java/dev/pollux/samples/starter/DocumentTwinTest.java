package dev.pollux.samples.starter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnownSource;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.starter.DocumentTwin;
import dev.pollux.starter.DocumentTwinOptions;
import dev.pollux.starter.Pollux;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.Persona;
import dev.pollux.twin.TwinOptions;
import dev.pollux.twin.WritingAbility;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first call, with the models that come with Pollux. */
@NoLeaks
class DocumentTwinTest {

    @TempDir
    Path temp;

    private Path docs;
    private Path cache;

    @BeforeEach
    void write() throws IOException {
        docs = Files.createDirectories(temp.resolve("docs"));
        cache = temp.resolve("cache");
        Files.writeString(docs.resolve("boats.md"), "# Boats\n\nThe Argo was rowed by fifty heroes.\n");
        Files.writeString(docs.resolve("horses.md"), "# Horses\n\nCastor tamed horses, and Pollux boxed.\n");
    }

    private DocumentTwinOptions.Builder options() {
        return DocumentTwinOptions.builder().documents(docs).cache(cache);
    }

    @Test
    void oneCallAnswersFromAFolder() {
        try (DocumentTwin twin = Pollux.twin(options().build())) {
            Answer answer = twin.ask("Who rowed the Argo?");

            assertThat(answer.kind()).isEqualTo(Answer.Kind.QUOTED);
            assertThat(answer.text()).isEqualTo("The Argo was rowed by fifty heroes. [1]");
            assertThat(answer.citations().get(0).document()).isEqualTo("boats.md");
            assertThat(twin.search("tamed horses").get(0).passage().document()).isEqualTo("horses.md");
        }
    }

    @Test
    void aSearchStaysWithinTheFilterOfTheTwin() {
        DocumentTwinOptions options = options()
                .metadata(List.of(MetadataRule.parse("boats.md:topic=sea"), MetadataRule.parse("horses.md:topic=land")))
                .filter("topic = \"sea\"")
                .build();
        try (DocumentTwin twin = Pollux.twin(options)) {
            assertThat(twin.search("tamed horses"))
                    .extracting(hit -> hit.passage().document())
                    .containsOnly("boats.md");
        }
    }

    @Test
    void aStreamAndAConversationAnswerToo() {
        try (DocumentTwin twin = Pollux.twin(options().build());
                AnswerStream stream = twin.stream("Who rowed the Argo?")) {
            Conversation conversation = twin.chat();

            assertThat(stream.evidence().get(0).quote()).isEqualTo("The Argo was rowed by fifty heroes.");
            assertThat(conversation.ask("Who tamed horses?").text()).startsWith("Castor tamed horses");
        }
    }

    @Test
    void noModelIsOpenedWhereNoneIsToWrite() {
        try (DocumentTwin twin = Pollux.twin(options().build())) {
            assertThat(twin.ask("Who rowed the Argo?").finish()).isEmpty();
            assertThat(twin.writing())
                    .isEqualTo(new WritingAbility(
                            false, "no model is named, and the embedded one is too small to write well"));
            assertThat(cache.resolve("models")).doesNotExist();
        }
        assertThat(options().build().opensModel()).isFalse();
        assertThat(options().model("hf:owner/name").build().opensModel()).isTrue();
        assertThat(options().twin(style(TwinOptions.Style.WRITE)).build().opensModel())
                .isTrue();
        assertThat(options()
                        .model(Path.of("model.gguf"))
                        .twin(style(TwinOptions.Style.QUOTE))
                        .build()
                        .opensModel())
                .isFalse();
    }

    @Test
    void theEmbeddedModelWritesWhereItIsTold() {
        DocumentTwinOptions options = options()
                .cache(Path.of(System.getProperty("pollux.cache"))) // where it is exported once for all tests
                .knowledge(temp.resolve("kb"))
                .persona(Persona.of("Orpheus", "You answer in one sentence."))
                .twin(style(TwinOptions.Style.WRITE))
                .build();
        try (DocumentTwin twin = Pollux.twin(options)) {
            assertThat(twin.ask("Who rowed the Argo?").usage().completionTokens())
                    .isPositive();
        }
    }

    private static TwinOptions style(TwinOptions.Style style) {
        return TwinOptions.builder().style(style).build();
    }

    @Test
    void severalFoldersAreOneKnowledgeBaseInAnyOrder() throws IOException {
        Path more = Files.createDirectories(temp.resolve("more"));
        Files.writeString(more.resolve("owls.md"), "# Owls\n\nOwls see at night.\n");
        for (List<Path> folders : List.of(List.of(docs, more), List.of(more, docs))) {
            try (DocumentTwin twin = Pollux.twin(options().documents(folders).build())) {
                assertThat(twin.ask("Who rowed the Argo?").text()).contains("fifty heroes");
                assertThat(twin.ask("When do owls see?").text()).contains("at night");
            }
        }
        assertThat(cache.resolve("knowledge").toFile().list()).hasSize(1);
    }

    @Test
    void aFileMayBeGivenAndTheSameFolderTwice() throws IOException {
        Path file = Files.writeString(temp.resolve("owls.unknown"), "Owls see at night.\n");
        Path link = Files.createSymbolicLink(temp.resolve("link"), docs);
        try (DocumentTwin twin =
                Pollux.twin(options().documents(docs, link, file).build())) {
            assertThat(twin.ask("When do owls see?").citations().get(0).origin().path())
                    .isEqualTo(file.toRealPath().toString());
            assertThat(twin.knowledge().sources())
                    .extracting(KnownSource::name)
                    .containsExactly("docs", "owls.unknown");
        }
    }

    @Test
    void anotherTwinOfTheFolderKnowsItAlready() {
        Pollux.twin(options().build()).close();
        List<JobEvent> events = new ArrayList<>();
        Job<DocumentTwin> again = DocumentTwin.openJob(
                options().documents(docs.resolve("..").resolve("docs")).build());

        again.onEvent(events::add).run().close();

        assertThat(events)
                .noneMatch(event -> event instanceof JobEvent.Progress progress
                        && progress.stage().equals("embed"));
        assertThat(cache.resolve("knowledge").toFile().list()).hasSize(1);
    }

    @Test
    void whatIsWrittenLaterIsReadWhenAskedFor() throws IOException {
        try (DocumentTwin twin = Pollux.twin(options().build())) {
            Files.writeString(docs.resolve("owls.md"), "# Owls\n\nOwls see at night.\n");
            assertThat(twin.ask("When do owls see?").kind()).isEqualTo(Answer.Kind.UNKNOWN);

            assertThat(twin.updating().run().get(0).added()).isEqualTo(1);

            assertThat(twin.ask("When do owls see?").text()).contains("Owls see at night.");
        }
    }

    @Test
    void manyTwinsOfOneFolderAtOnceAllAnswer() {
        List<CompletableFuture<String>> answers = IntStream.range(0, 3)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> {
                    try (DocumentTwin twin = Pollux.twin(options().build())) {
                        return twin.ask("Who tamed horses?").text();
                    }
                }))
                .toList();

        assertThat(answers).allSatisfy(answer -> assertThat(answer.join()).contains("Castor"));
    }

    @Test
    void whileAnotherWritesTheLastCommitAnswers() {
        Path knowledge = temp.resolve("kb");
        DocumentTwinOptions options =
                options().knowledge(knowledge).lockTimeout(Duration.ZERO).build();
        Pollux.twin(options).close();
        List<String> notices = new ArrayList<>();
        try (OnnxEmbedder embedder = OnnxEmbedder.bundled();
                KnowledgeBase other = KnowledgeBase.open(knowledge, embedder)) {
            assertThat(other.stats().documents()).isEqualTo(2);
            Job<DocumentTwin> opening = DocumentTwin.openJob(options);
            opening.onEvent(event -> {
                if (event instanceof JobEvent.Notice notice) {
                    notices.add(notice.message());
                }
            });
            try (DocumentTwin twin = opening.run()) {
                assertThat(twin.ask("Who tamed horses?").text()).contains("Castor");
            }
        }
        assertThat(notices)
                .containsExactly("another process still writes to " + knowledge
                        + "; going on with what it has committed so far");
    }

    @Test
    void aKnowledgeBaseAloneIsUsedAsItIs() {
        Path knowledge = temp.resolve("kb");
        Pollux.twin(options().knowledge(knowledge).build()).close();

        try (DocumentTwin twin =
                Pollux.twin(DocumentTwinOptions.builder().knowledge(knowledge).build())) {
            assertThat(twin.ask("Who tamed horses?").text()).contains("Castor");
            assertThat(twin.updating().run()).isEmpty();
        }
    }

    @Test
    void aClosedTwinSaysSo() {
        DocumentTwin twin = Pollux.twin(options().build());
        twin.close();
        twin.close();

        assertThatIllegalStateException()
                .isThrownBy(() -> twin.ask("Who?"))
                .withMessage("This twin is closed; open another with Pollux.twin");
    }

    @Test
    void aCancelledOpeningLeavesNothingOpen() {
        int before = OpenHandle.open().size();
        Job<DocumentTwin> opening = DocumentTwin.openJob(options().build());
        opening.onEvent(event -> {
            if (event instanceof JobEvent.Progress) {
                opening.cancel();
            }
        });

        assertThatThrownBy(opening::run).isInstanceOf(CancelledException.class);
        assertThat(OpenHandle.open()).hasSize(before);
    }

    @Test
    void whatIsNotThereIsToldBeforeAnythingIsOpened() throws IOException {
        Path nowhere = temp.resolve("nowhere");
        assertThatThrownBy(() -> Pollux.twin(nowhere))
                .isInstanceOf(StorageException.class)
                .hasMessage("There is no file or folder " + nowhere + "; check the path of the documents");
        Path model = temp.resolve("model.gguf");
        assertThatThrownBy(() -> Pollux.twin(options().model(model).build()))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith("There is no model '" + model + "': no file or folder of that path");
        assertThat(cache).doesNotExist();
    }

    @Test
    void optionsThatCannotBeAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DocumentTwinOptions.builder().build())
                .withMessage("documents must name a folder, or knowledge a knowledge base, but both were empty;"
                        + " call documents(Path.of(\"docs\"))");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options()
                        .documents(docs, temp)
                        .files(FolderOptions.builder().name("mine").build())
                        .build())
                .withMessage("files must have no name where there are several folders, as each is a source of its own,"
                        + " but was named 'mine'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options().lockTimeout(Duration.ofSeconds(-1)).build())
                .withMessage("lockTimeout must be at least zero but was PT-1S");
    }
}
