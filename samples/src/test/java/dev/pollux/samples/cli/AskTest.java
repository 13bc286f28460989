package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Questions on a small folder, through the command line and with the real models. */
class AskTest {

    @TempDir
    Path temp;

    private Path docs;
    private String out = "";
    private String err = "";

    @BeforeEach
    void write() throws IOException {
        docs = Files.createDirectories(temp.resolve("docs"));
        Files.writeString(docs.resolve("boats.md"), """
                # Boats

                ## Argo

                The Argo was rowed by fifty heroes.
                Her keel was made of oak from Dodona.
                """);
        Files.writeString(docs.resolve("horses.md"), "# Horses\n\nCastor tamed horses, and Pollux boxed.\n");
    }

    private int run(String input, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(
                1,
                List.of(
                        "--docs",
                        docs.toString(),
                        "--knowledge",
                        temp.resolve("kb").toString()));
        StringWriter to = new StringWriter();
        StringWriter errors = new StringWriter();
        Terminal terminal =
                new Terminal(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), false, false);
        CommandLine commands = Pollux.commandLine(terminal);
        commands.setOut(new PrintWriter(to));
        commands.setErr(new PrintWriter(errors));
        int code = commands.execute(all.toArray(String[]::new));
        commands.getOut().flush();
        commands.getErr().flush();
        out = to.toString();
        err = errors.toString();
        return code;
    }

    @Test
    void askFindsTheFileAndTheLine() {
        assertThat(run("", "ask", "--style", "quote", "What was the keel of the Argo made of?"))
                .as("%s", err)
                .isEqualTo(ExitCode.OK);
        assertThat(out)
                .contains("Her keel was made of oak from Dodona.")
                .contains("] " + docs + "/boats.md:5-6 (Boats > Argo)");
    }

    @Test
    void jsonHasEveryDocumentedKey() {
        assertThat(run("", "ask", "--json", "--style", "write", "Who rowed the Argo?"))
                .as("%s", err)
                .isEqualTo(ExitCode.OK);
        JsonNode answer = JsonNode.parse(out);
        assertThat(answer.propertyNames())
                .containsExactly(
                        "kind",
                        "text",
                        "citations",
                        "evidence",
                        "dropped",
                        "notices",
                        "groundedness",
                        "stop",
                        "usage",
                        "skippedFiles",
                        "missingSources");
        JsonNode evidence = answer.path("evidence").path(0);
        assertThat(evidence.propertyNames())
                .containsExactly(
                        "number", "source", "document", "path", "copies", "heading", "firstLine", "lastLine", "quote");
        assertThat(evidence.path("document").asString()).isEqualTo("boats.md");
        assertThat(evidence.path("firstLine").asInt()).isEqualTo(5);
        assertThat(evidence.path("quote").asString()).isEqualTo("The Argo was rowed by fifty heroes.");
        assertThat(answer.path("groundedness").asDouble()).isBetween(0.0, 1.0);
        assertThat(answer.path("usage").propertyNames())
                .containsExactly(
                        "promptTokens",
                        "cachedTokens",
                        "completionTokens",
                        "draftedTokens",
                        "acceptedTokens",
                        "loadMillis",
                        "prefillMillis",
                        "decodeMillis");
        assertThat(answer.path("usage").path("promptTokens").asInt()).isPositive();
    }

    @Test
    void whatTheDocumentsDoNotHoldIsNotKnown() {
        assertThat(run("", "ask", "Which tax rate applies to imported bicycles?"))
                .as("%s%s", out, err)
                .isEqualTo(ExitCode.UNKNOWN);
    }

    @Test
    void searchShowsScoresAndPlaces() {
        assertThat(run("", "search", "tamed horses")).isEqualTo(ExitCode.OK);
        assertThat(out).startsWith(" 1. ").contains("horses.md:");
    }

    @Test
    void chatAnswersLineByLine() {
        assertThat(run("Who tamed horses?\n/quit\n", "chat", "--style", "quote", "--json"))
                .as("%s", err)
                .isEqualTo(ExitCode.OK);
        JsonNode turns = JsonNode.parse(out).path("turns");
        assertThat(turns.size()).isEqualTo(1);
        assertThat(turns.path(0).path("question").asString()).isEqualTo("Who tamed horses?");
        assertThat(turns.path(0).path("text").asString()).contains("Castor tamed horses");
    }

    @Test
    void anUnknownOptionIsAUsageError() {
        assertThat(run("", "ask", "--no-such-option", "Why?")).isEqualTo(ExitCode.USAGE);
        assertThat(err)
                .isEqualTo("pollux: there is no option --no-such-option of 'pollux ask'" + System.lineSeparator()
                        + "Try 'pollux ask --help'." + System.lineSeparator());
    }

    @Test
    void aFolderThatIsNotThereIsAnError() {
        docs = temp.resolve("nowhere");
        assertThat(run("", "ask", "--style", "quote", "Why?")).isEqualTo(ExitCode.ERROR);
        assertThat(err).startsWith("pollux: ").contains("nowhere");
    }

    /** The command that the README begins with; what its model makes of the quotes may depend on the machine. */
    @Test
    void theQuestionOfTheReadmeLeadsToTheGuideToMerging() {
        docs = Path.of(System.getProperty("pollux.root", "..")).resolve("docs");
        assertThat(run("", "ask", "--json", "--style", "quote", "How do I merge two models?"))
                .as(err)
                .isZero();
        JsonNode answer = JsonNode.parse(out);
        assertThat(answer.path("citations").path(0).path("document").asString()).isEqualTo("merging.md");
        assertThat(answer.path("text").asString())
                .contains("To merge two models is to make one set of weights of two")
                .doesNotContain("twin.ask(");
    }
}
