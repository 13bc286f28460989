package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Documents that change, and more than one process that reads and writes what is known of them. */
@NoLeaks
class KnowledgeCommandsTest {

    private static final String NL = System.lineSeparator();

    @TempDir
    Path temp;

    private Path docs;
    private Path knowledge;

    @BeforeEach
    void write() throws IOException {
        docs = Files.createDirectories(temp.resolve("docs"));
        knowledge = temp.resolve("kb");
        Files.writeString(docs.resolve("boats.md"), "# Boats\n\nThe Argo was rowed by fifty heroes.\n");
        Files.writeString(docs.resolve("horses.md"), "# Horses\n\nCastor tamed horses, and Pollux boxed.\n");
    }

    private Run run(String command, String... more) {
        String[] all = new String[more.length + 5];
        all[0] = command;
        all[1] = "--docs";
        all[2] = docs.toString();
        all[3] = "--knowledge";
        all[4] = knowledge.toString();
        System.arraycopy(more, 0, all, 5, more.length);
        return Run.of(all);
    }

    @Test
    void ingestCountsWhatChanged() throws IOException {
        JsonNode first = run("ingest", "--json").json();
        assertThat(first.propertyNames())
                .containsExactly(
                        "knowledge",
                        "source",
                        "added",
                        "updated",
                        "unchanged",
                        "deleted",
                        "skipped",
                        "passages",
                        "embedded",
                        "reused",
                        "elapsedMillis",
                        "notices");
        assertThat(first.path("added").asInt()).isEqualTo(2);
        Files.writeString(docs.resolve("boats.md"), "# Boats\n\nThe Argo sank.\n");
        Files.delete(docs.resolve("horses.md"));
        Files.writeString(docs.resolve("owls.txt"), "Owls see at night.\n");

        JsonNode second = run("ingest", "--json").json();

        assertThat(second.path("added").asInt()).isEqualTo(1);
        assertThat(second.path("updated").asInt()).isEqualTo(1);
        assertThat(second.path("deleted").asInt()).isEqualTo(1);
        assertThat(run("ingest", "--json").json().path("embedded").asInt()).isZero();
    }

    @Test
    void inspectListsTheDocuments() {
        run("ingest");

        JsonNode json = Run.of("inspect", "--json", knowledge.toString()).json();

        assertThat(json.path("kind").asString()).isEqualTo("knowledge");
        assertThat(json.path("documentCount").asInt()).isEqualTo(2);
        assertThat(json.path("documents").valueStream().map(d -> d.path("id").asString()))
                .containsExactly("boats.md", "horses.md");
        assertThat(Run.of("inspect", knowledge.toString()).out()).contains("  boats.md: 1 passages, ");
    }

    @Test
    void searchAsJsonHasEveryDocumentedKey() {
        for (String retriever : List.of("hybrid", "lexical", "dense")) {
            JsonNode json = run("search", "--json", "--top-k", "1", "--retriever", retriever, "tamed horses")
                    .json();

            assertThat(json.propertyNames()).containsExactly("query", "retriever", "hits");
            assertThat(json.path("retriever").asString()).isEqualTo(retriever);
            assertThat(json.path("hits").size()).isEqualTo(1);
            JsonNode hit = json.path("hits").path(0);
            assertThat(hit.propertyNames())
                    .containsExactly("number", "score", "document", "heading", "firstLine", "lastLine", "text");
            assertThat(hit.path("document").asString()).isEqualTo("horses.md");
        }
    }

    @Test
    void searchThatFindsNothingSaysSo() {
        assertThat(run("search", "--retriever", "lexical", "zebra"))
                .isEqualTo(new Run(ExitCode.UNKNOWN, "Nothing found." + NL, ""));
    }

    @Test
    void whileAnotherWritesAQuestionIsAnsweredFromTheLastCommit() {
        run("ingest");
        try (OnnxEmbedder embedder = OnnxEmbedder.bundled();
                KnowledgeBase other = KnowledgeBase.open(knowledge, embedder)) {
            assertThat(other.stats().documents()).isEqualTo(2);

            Run asked = run("ask", "--style", "quote", "--wait", "0", "Who tamed horses?");

            assertThat(asked.code()).isEqualTo(ExitCode.OK);
            assertThat(asked.out()).contains("Castor tamed horses").contains("horses.md:3");
            assertThat(asked.err())
                    .isEqualTo("pollux: another process still writes to " + knowledge
                            + "; going on with what it has committed so far" + NL);
            assertThat(run("ingest", "--wait", "0"))
                    .isEqualTo(new Run(
                            ExitCode.ERROR,
                            "",
                            "pollux: The knowledge base in " + knowledge
                                    + " is in use by another process or another KnowledgeBase of this one, and only one"
                                    + " may write; close that one, or open this one read-only" + NL));
        }
    }

    @Test
    void severalAtOnceAllGetTheirAnswer() {
        List<CompletableFuture<Run>> runs = IntStream.range(0, 3)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> run("ask", "--style", "quote", "Who tamed horses?")))
                .toList();

        assertThat(runs).allSatisfy(future -> {
            Run run = future.join();
            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
            assertThat(run.out()).contains("Castor tamed horses");
        });
    }

    @Test
    void withoutANameTheKnowledgeIsKeptInTheCache() {
        Path cache = temp.resolve("cache");
        String[] command = {
            "ask", "--docs", docs.toString(), "--cache", cache.toString(), "--style", "quote", "Who tamed horses?"
        };

        assertThat(Run.of(command).code()).isEqualTo(ExitCode.OK);
        assertThat(cache.resolve("knowledge")).isNotEmptyDirectory();
        assertThat(Run.of(command).code()).isEqualTo(ExitCode.OK);
        assertThat(cache.resolve("knowledge").toFile().list()).hasSize(1);
    }

    @Test
    void documentsMustBeNamed() {
        assertThat(Run.of("ask", "Why?"))
                .isEqualTo(new Run(
                        ExitCode.USAGE,
                        "",
                        "pollux: say where the documents are with --docs, or which knowledge base to use with --knowledge"
                                + NL + "Try 'pollux ask --help'." + NL));
        assertThat(Run.of("ask", "--style", "quote", "--docs", "no/such/folder", "Why?"))
                .isEqualTo(new Run(
                        ExitCode.ERROR,
                        "",
                        "pollux: There is no folder no/such/folder; check the path of the documents" + NL));
    }

    @Test
    void aFolderWithoutDocumentsIsNoted() throws IOException {
        docs = Files.createDirectories(temp.resolve("empty"));

        Run run = run("ask", "--style", "quote", "Why?");

        assertThat(run.code()).isEqualTo(ExitCode.UNKNOWN);
        assertThat(run.err()).isEqualTo("pollux: there are no Markdown or text files in " + docs + NL);
    }

    @Test
    void chatShowsItsSourcesAndBeginsAnew() {
        Run run = Run.reading(
                "/sources\nWho tamed horses?\n/sources\n/reset\n/dropped\n/quit\nWho rowed?\n",
                "chat",
                "--docs",
                docs.toString(),
                "--knowledge",
                knowledge.toString(),
                "--style",
                "quote",
                "--evidence",
                "1");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).isEqualTo("pollux: there is no answer yet" + NL + "pollux: there is no answer yet" + NL);
        assertThat(run.out().lines().toList())
                .hasSize(6)
                .startsWith("Castor tamed horses, and Pollux boxed. [1]", "", "[1] horses.md:3 (Horses)", "")
                .endsWith("    \"Castor tamed horses, and Pollux boxed.\"");
    }
}
