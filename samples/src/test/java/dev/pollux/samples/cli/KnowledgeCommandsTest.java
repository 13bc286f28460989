package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import java.util.stream.Stream;
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

    private static String[] joined(String[] some, String... more) {
        return Stream.concat(Stream.of(more), Stream.of(some)).toArray(String[]::new);
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
    void recordsOfAFileAreDocumentsWithTypedMetadata() throws IOException {
        Path rows = Files.writeString(
                temp.resolve("rows.csv"),
                "key,question,reply,year,open\n7,Rent?,Due on Monday.,2024,true\n8,Cats?,,2020,false\n");
        String[] given = {
            "--docs",
            rows.toString(),
            "--knowledge",
            knowledge.toString(),
            "--text-field",
            "reply",
            "--title-field",
            "question"
        };
        Run ingest = Run.of(joined(given, "ingest", "--json"));
        assertThat(ingest.json().path("added").asInt()).isEqualTo(1);
        assertThat(ingest.json().path("failedRecords").asInt()).isZero();

        JsonNode hit = Run.of(joined(given, "search", "--json", "rent", "--filter", "year >= 2024 and open"))
                .json()
                .path("hits")
                .path(0);
        assertThat(hit.path("document").asString()).isEqualTo("rows.csv/7");
        assertThat(hit.path("metadata").path("year").isNumber()).isTrue();
        assertThat(hit.path("metadata").path("open").isBoolean()).isTrue();
        assertThat(hit.path("metadata").path("title").asString()).isEqualTo("Rent?");
    }

    @Test
    void metadataStaysInForceUntilItIsEnded() {
        String[] given = {"--docs", docs.toString(), "--knowledge", knowledge.toString()};
        Run.of(joined(given, "ingest", "--metadata", "team=x"));
        Run.of(joined(given, "ingest"));
        JsonNode rules = Run.of("knowledge", "sources", knowledge.toString(), "--json")
                .json()
                .path("sources")
                .path(0)
                .path("metadata");
        assertThat(rules.path(0).asString()).isEqualTo("team=x");
        String shown = Run.of("knowledge", "sources", knowledge.toString()).out();
        assertThat(shown).contains("    metadata: team=x");

        Run both = Run.of(joined(given, "ingest", "--metadata", "team=x", "--no-metadata"));
        assertThat(both.err()).contains("--no-metadata ends all rules and --metadata sets some; give one of them");

        Run ended = Run.of(joined(given, "ingest", "--no-metadata", "--json"));
        assertThat(ended.json().path("notices").path(0).asString())
                .isEqualTo("metadata rules of source docs that are no longer in force: team=x");
        Run search = Run.of("search", "--knowledge", knowledge.toString(), "--filter", "team = \"x\"", "rent");
        assertThat(search.err()).contains("team");
        assertThat(search.code()).isNotZero();
    }

    @Test
    void aRerankerScoresTheHitsAgain() throws IOException {
        Path model = temp.resolve("reranker");
        TinyCrossEncoder.write(model);
        Run search = run("search", "--json", "--reranker", model.toString(), "rowed");
        assertThat(search.code()).as(search.err()).isEqualTo(ExitCode.OK);
        assertThat(search.json().path("hits").path(0).path("score").asDouble())
                .isCloseTo(1 / (1 + Math.exp(-TinyCrossEncoder.BIAS)), within(1e-6));
        assertThat(search.json().path("trace").toString()).contains("\"rerank\"");
        assertThat(run("ask", "--reranker", model.toString(), "Who rowed the Argo?")
                        .out())
                .contains("The Argo was rowed by fifty heroes.");
        assertThat(run("search", "--reranker", model + "x", "rowed").err()).contains("There is no file or folder");
    }

    @Test
    void pagesOfAMirrorAreCitedByTheirAddresses() throws IOException {
        Path mirror = Files.createDirectories(temp.resolve("mirror"));
        Files.writeString(mirror.resolve("boats.txt"), "The Argo was rowed by fifty heroes.");
        Files.writeString(mirror.resolve("unlisted.txt"), "Nobody reads this.");
        Path pages = Files.writeString(temp.resolve("pages.txt"), "/boats.txt\n");
        Run found = Run.of(
                "search",
                "--docs",
                mirror.toString(),
                "--knowledge",
                knowledge.toString(),
                "--site",
                "https://example.org",
                "--pages",
                pages.toString(),
                "--json",
                "heroes");
        assertThat(found.json().path("hits")).hasSize(1);
        assertThat(found.json().path("hits").path(0).path("path").asString())
                .isEqualTo("https://example.org/boats.txt");
    }

    @Test
    void smallPassagesAreSearchedAndTheirSectionsShown() throws IOException {
        String section = "## Boats\n\n" + "The Argo was rowed by fifty heroes. ".repeat(8) + "\n\nOne oar is red.";
        Files.writeString(
                docs.resolve("long.md"), "# Guide\n\n" + section + "\n\n## Other\n\n" + "More words. ".repeat(90));
        String[] chunking = {"--chunk", "parent-child", "--chunk-tokens", "32", "--parent-tokens", "200"};
        JsonNode json = run("search", joined(chunking, "red oar", "--json", "--top-k", "1"))
                .json();
        assertThat(json.path("hits").path(0).path("text").asString())
                .contains("## Boats")
                .endsWith("One oar is red.")
                .doesNotContain("## Other");
        assertThat(json.path("trace")
                        .path(json.path("trace").size() - 1)
                        .path("stage")
                        .asString())
                .isEqualTo("parents");
    }

    @Test
    void chunkingAndSourcesThatDoNotFitAreAnswered() {
        assertThat(run("ingest", "--chunk", "pages").err())
                .contains(
                        "--chunk must be structure, recursive, sentence-window, parent-child or semantic but was 'pages'");
        assertThat(run("ingest", "--parent-tokens", "100").err())
                .contains("--parent-tokens is for --chunk parent-child");
        assertThat(run("ingest", "--window-sentences", "1").err())
                .contains("--window-sentences is for --chunk sentence-window");
        assertThat(run("ingest", "--chunk-tokens", "3").err())
                .contains("--chunk-tokens must be in [16, maxTokens = 512] but was 3");
        assertThat(run("ingest", "--records").err()).contains("--records is for CSV and JSON Lines files");
        for (String option : List.of("--include=*.csv", "--exclude=*.csv", "--no-gitignore", "--isolate")) {
            assertThat(run("ingest", "--records", option).err())
                    .contains(option.replaceAll("=.*", "")
                            + " is for folders and files as they are, not for --records and --site");
        }
        assertThat(run("ingest", "--pages", "x").err()).contains("--pages is for --site, the address of the web site");
        assertThat(run("ingest", "--site", "x").err())
                .contains("--site must be an address such as https://example.org but was 'x'");
    }

    @Test
    void aSecondKnowledgeBaseEmbedsNothingAgain() {
        String cache = temp.resolve("cache").toString();
        JsonNode first = run("ingest", "--json", "--cache", cache).json();
        assertThat(first.path("embedded").asInt()).isEqualTo(2);
        knowledge = temp.resolve("other");
        JsonNode second = run("ingest", "--json", "--cache", cache).json();
        assertThat(second.path("embedded").asInt()).isZero();
        assertThat(second.path("reused").asInt()).isEqualTo(2);
        knowledge = temp.resolve("third");
        assertThat(run("ingest", "--json", "--cache", cache, "--no-embedding-cache")
                        .json()
                        .path("embedded")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void ingestCountsWhatChanged() throws IOException {
        JsonNode first = run("ingest", "--json").json();
        assertThat(first.propertyNames())
                .containsExactly(
                        "knowledge",
                        "sources",
                        "added",
                        "updated",
                        "unchanged",
                        "deleted",
                        "renamed",
                        "skipped",
                        "failedRecords",
                        "passages",
                        "embedded",
                        "reused",
                        "elapsedMillis",
                        "notices",
                        "skippedFiles",
                        "missingSources");
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
    void aLineThatCannotBeReadIsNamedAndSaidByTheExitCode() throws IOException {
        Files.writeString(docs.resolve("rows.jsonl"), "{\"id\":\"1\",\"text\":\"Owls see at night.\"}\n{\"id\":\n");

        Run ingested = run("ingest", "--json");

        assertThat(ingested.code()).isEqualTo(ExitCode.INCOMPLETE);
        assertThat(ingested.json().path("added").asInt()).isEqualTo(3);
        assertThat(ingested.json().path("failedRecords").asInt()).isEqualTo(1);
        JsonNode skipped = ingested.json().path("skippedFiles").path(0);
        assertThat(skipped.path("file").asString()).isEqualTo(docs + "/rows.jsonl/2");
        assertThat(skipped.path("reason").asString()).startsWith("line 2 is not JSON: ");
        assertThat(ingested.err()).endsWith("pollux: 1 record could not be read" + NL);
    }

    @Test
    void linesOfHtmlAreThoseOfTheFile() throws IOException {
        Files.writeString(
                docs.resolve("page.html"),
                "<html><body><nav><a href=a>Home</a></nav><h1>Owls</h1>\n<p>Owls hunt mice at night.</p></body></html>");

        JsonNode hit = run("search", "--json", "--top-k", "1", "owls hunt mice")
                .json()
                .path("hits")
                .path(0);

        assertThat(hit.path("document").asString()).isEqualTo("page.html");
        assertThat(hit.path("text").asString()).isEqualTo("# Owls\n\nOwls hunt mice at night.");
        assertThat(hit.path("firstLine").asInt()).isEqualTo(1);
        assertThat(hit.path("lastLine").asInt()).isEqualTo(2);
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

            assertThat(json.propertyNames())
                    .containsExactly(
                            "query", "retriever", "hits", "trace", "notices", "skippedFiles", "missingSources");
            assertThat(json.path("trace").path(0).propertyNames()).containsExactly("stage", "in", "out", "millis");
            assertThat(json.path("retriever").asString()).isEqualTo(retriever);
            assertThat(json.path("hits").size()).isEqualTo(1);
            JsonNode hit = json.path("hits").path(0);
            assertThat(hit.propertyNames())
                    .containsExactly(
                            "number",
                            "score",
                            "source",
                            "document",
                            "path",
                            "copies",
                            "heading",
                            "firstLine",
                            "lastLine",
                            "metadata",
                            "text");
            assertThat(hit.path("document").asString()).isEqualTo("horses.md");
        }
    }

    @Test
    void searchWithAFilterFindsWhatItAllowsAndExplainsItself() {
        Run.of(
                "ingest",
                "--docs",
                docs.toString(),
                "--knowledge",
                knowledge.toString(),
                "--metadata",
                "horses.md:kind=animal");
        Run found = Run.of(
                "search", "--knowledge", knowledge.toString(), "--filter", "kind = \"animal\"", "--explain", "boats");
        assertThat(found.code()).isEqualTo(ExitCode.OK);
        assertThat(found.out()).contains("horses.md").doesNotContain("boats.md");
        assertThat(found.err()).contains("filter").contains("dense scan").contains("lexical");

        Run unknown = Run.of("search", "--knowledge", knowledge.toString(), "--filter", "kynd = 1", "boats");
        assertThat(unknown.code()).isEqualTo(ExitCode.ERROR);
        assertThat(unknown.err()).contains("did you mean kind?");
        assertThat(Run.of("search", "--knowledge", knowledge.toString(), "--filter", "kind =", "boats")
                        .err())
                .contains("does not parse at position 7");
    }

    @Test
    void verifyFindsADamagedFile() throws IOException {
        run("search", "boats");
        assertThat(Run.of("knowledge", "verify", knowledge.toString()).code()).isEqualTo(ExitCode.OK);
        assertThat(Run.of("knowledge", "compact", knowledge.toString()).code()).isEqualTo(ExitCode.OK);
        assertThat(Run.of("knowledge", "rebuild", "--json", knowledge.toString())
                        .json()
                        .path("segments")
                        .asInt())
                .isEqualTo(1);
        Path file;
        try (var files = Files.list(knowledge.resolve("index"))) {
            file = files.filter(f -> f.toString().endsWith(".fdt")).findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Run verify = Run.of("knowledge", "verify", "--json", knowledge.toString());
        assertThat(verify.code()).isEqualTo(ExitCode.ERROR);
        assertThat(verify.json().path("faults").path(0).path("file").asString())
                .isEqualTo("index/" + file.getFileName());
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
            assertThat(asked.out()).contains("Castor tamed horses").contains(docs + "/horses.md:3");
            assertThat(asked.err())
                    .isEqualTo("pollux: another process still writes to " + knowledge
                            + "; going on with what it has committed so far" + NL);
            assertThat(run("ingest", "--wait", "0"))
                    .isEqualTo(new Run(
                            ExitCode.ERROR,
                            "",
                            "pollux: The knowledge base in " + knowledge
                                    + " is in use by another process, and only one may write; wait for it, or give"
                                    + " --wait SECONDS"
                                    + NL));
        }
    }

    @Test
    void theScaleOfTheEmbedderIsShown() {
        run("ingest");
        JsonNode scale = Run.of("knowledge", "stats", "--json", knowledge.toString())
                .json()
                .path("scale");
        assertThat(scale.propertyNames()).containsExactly("unrelated", "own", "sentences");
        assertThat(scale.path("unrelated").asDouble())
                .isLessThan(scale.path("own").asDouble());
        assertThat(scale.path("sentences").asInt()).isGreaterThan(30);
        assertThat(Run.of("knowledge", "stats", knowledge.toString()).out())
                .containsPattern("scale +0\\.\\d{3} unrelated, 0\\.\\d{3} own, of \\d+ sentences");
        assertThat(run("ask", "--style", "quote", "--stats", "Who tamed horses?")
                        .err())
                .containsPattern("similarity: 0\\.\\d{3} unrelated, 0\\.\\d{3} own, of \\d+ sentences; refused below a"
                        + " score of 0\\.42; best 0\\.\\d\\d" + NL);
        assertThat(run("ask", "--style", "quote", "--stats", "Which tax applies to imported bicycles?")
                        .err())
                .contains("sentences; refused below a score of 0.42" + NL);
    }

    @Test
    void searchSaysThatTheEmbedderDoesNotReadALanguage() {
        run("ingest");
        String notice = "the query is in German, which the embedder all-minilm-l6-v2-q does not read; ";
        assertThat(run("search", "Wer ruderte die Argo und wer zähmte Pferde?").err())
                .isEqualTo("pollux: " + notice + "passages were searched by their words alone" + NL);
        assertThat(run("search", "--retriever", "dense", "--json", "Wer ruderte die Argo und wer zähmte Pferde?")
                        .json()
                        .path("notices")
                        .path(0)
                        .asString())
                .isEqualTo(notice + "the similarity of vectors says little about it");
        assertThat(run("search", "--retriever", "lexical", "Wer ruderte die Argo und wer zähmte Pferde?")
                        .err())
                .isEmpty();
        assertThat(run("search", "Who rowed the Argo?").err()).isEmpty();
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
    void sourcesAreListedCountedAndTakenOut() throws IOException {
        Path more = Files.createDirectories(temp.resolve("old notes"));
        Files.writeString(more.resolve("owls.md"), "Owls see at night.\n");
        Files.writeString(more.resolve("owls.doc"), "x");
        run("ingest");
        run("ingest", "--docs", more.toString());
        String kb = knowledge.toString();

        JsonNode listed = Run.of("knowledge", "sources", "--json", kb).json();
        assertThat(listed.propertyNames()).containsExactly("knowledge", "sources");
        assertThat(listed.path("sources").size()).isEqualTo(2);
        JsonNode old = listed.path("sources").path(1);
        assertThat(old.propertyNames())
                .containsExactly(
                        "source", "path", "documents", "passages", "lastChange", "missing", "skippedFiles", "metadata");
        assertThat(old.path("source").asString()).isEqualTo("old notes");
        assertThat(old.path("skippedFiles").path(0).path("file").asString()).isEqualTo(more.toRealPath() + "/owls.doc");
        assertThat(Run.of("knowledge", "sources", kb).out())
                .startsWith("docs  " + docs.toRealPath() + NL + "    2 documents, 2 passages, last changed ")
                .endsWith("    not read: 1 DOC file" + NL);
        assertThat(Run.of("knowledge", "stats", "--json", kb)
                        .json()
                        .path("documents")
                        .asInt())
                .isEqualTo(3);

        Files.delete(more.resolve("owls.md"));
        Files.delete(more.resolve("owls.doc"));
        Files.delete(more);
        assertThat(Run.of("ask", "--knowledge", kb, "--style", "quote", "When do owls see?")
                        .err())
                .isEqualTo("pollux: " + more
                        + " is gone, and what was read of it is still found; to take it out: pollux"
                        + " knowledge remove " + kb + " \"old notes\"" + NL + "pollux: not read: 1 DOC file" + NL);

        assertThat(Run.of("knowledge", "remove", kb, "docs", "old notes", "--dry-run")
                        .out())
                .isEqualTo("would remove docs (" + docs + "): 2 documents, 2 passages" + NL + "would remove old notes ("
                        + more + "): 1 document, 1 passage" + NL);
        assertThat(Run.of("knowledge", "remove", kb, "owls").err())
                .startsWith("pollux: There is no source 'owls' in " + kb + "; it has docs, old notes");
        assertThat(Run.of("knowledge", "remove", kb, more.toString()).out())
                .isEqualTo("removed old notes (" + more + "): 1 document, 1 passage" + NL);
        assertThat(Run.of("search", "--knowledge", kb, "--retriever", "lexical", "owls")
                        .out())
                .isEqualTo("Nothing found." + NL);
        assertThat(Run.of("knowledge").code()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void whatWasNotReadIsToldWhereItMatters() throws IOException {
        Files.writeString(docs.resolve("a.doc"), "x");
        Files.writeString(docs.resolve("b.msg"), "x");
        Files.writeString(docs.resolve("c.png"), "x");

        Run answered = run("ask", "--style", "quote", "Who tamed horses?");
        Run unknown = run("ask", "--style", "quote", "--json", "Which tax applies to imported bicycles?");

        assertThat(answered.err()).isEqualTo("pollux: not read: 1 DOC file and 1 MSG file" + NL);
        assertThat(unknown.code()).isEqualTo(ExitCode.UNKNOWN);
        assertThat(unknown.err())
                .isEqualTo(
                        "pollux: the answer may be in what was not read: 1 DOC file, 1 MSG file and 1 other file" + NL);
        assertThat(unknown.json()
                        .path("skippedFiles")
                        .valueStream()
                        .map(f -> f.path("file").asString()))
                .containsExactly(docs + "/a.doc", docs + "/b.msg", docs + "/c.png");
    }

    @Test
    void filesAreChosenByPattern() throws IOException {
        Files.writeString(docs.resolve(".gitignore"), "horses.md\n");
        assertThat(run("ingest", "--json").json().path("added").asInt()).isEqualTo(1);
        assertThat(run("ingest", "--json", "--no-gitignore")
                        .json()
                        .path("added")
                        .asInt())
                .isEqualTo(1);
        assertThat(run("ingest", "--json", "--no-gitignore", "--exclude", "b*")
                        .json()
                        .path("deleted")
                        .asInt())
                .isEqualTo(1);
        assertThat(run("ingest", "--include", "#").err())
                .startsWith("pollux: --include must hold patterns of paths, such as *.md or guides/, but held '#'");
    }

    @Test
    void copiesAreNamedOnce() throws IOException {
        Files.createDirectories(docs.resolve("old"));
        Files.copy(docs.resolve("horses.md"), docs.resolve("old/horses.md"));

        assertThat(run("search", "--top-k", "1", "tamed horses").out())
                .contains(docs + "/horses.md:")
                .contains(NL + "    also in " + docs + "/old/horses.md" + NL);
        assertThat(run("ask", "--style", "quote", "Who tamed horses?").out())
                .isEqualTo("Castor tamed horses, and Pollux boxed. [1]" + NL + NL + "[1] " + docs
                        + "/horses.md:3 (Horses)" + NL + "    also in " + docs + "/old/horses.md" + NL);
    }

    @Test
    void documentsMustBeNamed() {
        assertThat(Run.of("ask", "Why?"))
                .isEqualTo(new Run(
                        ExitCode.USAGE,
                        "",
                        "pollux: say where the documents are with --docs, or which knowledge base to use with"
                                + " --knowledge"
                                + NL + "Try 'pollux ask --help'." + NL));
        assertThat(Run.of("ask", "--style", "quote", "--docs", "no/such/folder", "Why?"))
                .isEqualTo(new Run(
                        ExitCode.ERROR,
                        "",
                        "pollux: There is no file or folder no/such/folder; check the path of --docs" + NL));
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
                .startsWith(
                        "Castor tamed horses, and Pollux boxed. [1]", "", "[1] " + docs + "/horses.md:3 (Horses)", "")
                .endsWith("    \"Castor tamed horses, and Pollux boxed.\"");
    }
}
