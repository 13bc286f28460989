package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What is said of a command line that cannot be meant, and how soon. */
class MistakesTest {

    private static final String NL = System.lineSeparator();

    @TempDir
    Path temp;

    private Path docs;

    @BeforeEach
    void write() throws IOException {
        docs = Files.createDirectories(temp.resolve("notes"));
        Files.writeString(docs.resolve("boats.md"), "# Boats\n\nThe Argo was rowed by fifty heroes.\n");
        Files.writeString(temp.resolve("model.gguf"), "not one");
    }

    /** Command lines in words, and the first line that is said of them. */
    private static Map<String, String> usage() {
        Map<String, String> said = new TreeMap<>();
        said.put("aks Why?", "there is no command 'aks'; did you mean 'ask'?");
        said.put("serach boats", "there is no command 'serach'; did you mean 'search'?");
        said.put("frobnicate", "there is no command 'frobnicate'");
        said.put("knowledge souces", "there is no command 'souces'; did you mean 'sources'?");
        said.put("--docs d Why?", "put a command before --docs, such as pollux ask --docs");
        said.put("--nonsense", "there is no option --nonsense");
        said.put("ask --doc d Why?", "there is no option --doc of 'pollux ask'; did you mean '--docs'?");
        said.put("ask -docs d Why?", "there is no option -docs of 'pollux ask'; did you mean '--docs'?");
        said.put(
                "ask --docs d --temprature=1 Why?",
                "there is no option --temprature of 'pollux ask'; did you mean '--temperature'?");
        said.put("ask --docs", "--docs needs a PATH after it");
        said.put(
                "ask --docs d",
                "QUESTION is missing; for example: pollux ask --docs docs \"How do I merge two models?\"");
        said.put("ask --docs d --style fast Why?", "--style must be auto, write or quote but was 'fast'");
        said.put(
                "ask --docs d --style quot Why?",
                "--style must be auto, write or quote but was 'quot'; did you mean 'quote'?");
        said.put("ask --docs d --evidence 99 Why?", "--evidence must be in [1, 20] but was 99");
        said.put("ask --docs d --evidence many Why?", "--evidence must be a whole number but was 'many'");
        said.put("ask --docs d --passages 0 Why?", "--passages must be in [1, 100] but was 0");
        said.put("ask --docs d --evidence 1 --evidence 2 Why?", "--evidence is given twice; give it once");
        said.put("generate --top-k -1 Hello", "--top-k must be at least 0 (0 keeps all) but was -1");
        said.put("generate --temperature hot Hello", "--temperature must be a number but was 'hot'");
        said.put("generate --min-p 2 Hello", "--min-p must be in [0, 1] but was 2.0");
        said.put("generate --xtc 0.5 Hello", "--xtc must be SHARE:P, for example 0.5:0.1 but was '0.5'");
        said.put("generate --mirostat 0:0.1 Hello", "--mirostat: tau must be in (0, 100] but was 0.0");
        said.put("generate --dry 0 Hello", "--dry: multiplier must be in (0, 100] but was 0.0");
        said.put("generate --logit-bias x=y Hello", "--logit-bias must be ID=BIAS with numbers but was 'x'");
        said.put(
                "generate --draft smollm2-135m-instruct --no-drafting Hello",
                "--draft and --no-drafting exclude each other");
        said.put("generate --threads 0 Hello", "--threads must be in [1, 1024] but was 0");
        said.put("generate --weights 3bit Hello", "--weights must be exact, float, 8bit or 4bit but was '3bit'");
        said.put("generate --kv-cache int8 Hello", "--kv-cache must be float32 or float16 but was 'int8'");
        said.put("search --docs d --top-k 0 boats", "--top-k must be in [1, 10000] but was 0");
        said.put(
                "search --docs d --retriever dens boats",
                "--retriever must be hybrid, lexical or dense but was 'dens'; did you mean 'dense'?");
        said.put("models extra", "'extra' is one argument too many; quote what belongs together");
        said.put("merge", "PLAN and TARGET are missing; for example: pollux merge --dry-run plan.yml merged");
        return said;
    }

    @TestFactory
    Stream<DynamicTest> aMistakeIsToldInOneSentence() {
        return usage().entrySet().stream()
                .map(mistake -> DynamicTest.dynamicTest(mistake.getKey(), () -> {
                    Run run = Run.of(mistake.getKey().split(" "));

                    assertThat(run.err().lines().findFirst()).contains("pollux: " + mistake.getValue());
                    assertThat(run.err()).matches("[^\\n]*\\RTry 'pollux[a-z -]* --help'\\.\\R");
                    assertThat(run.code()).isEqualTo(ExitCode.USAGE);
                    assertThat(run.out()).isEmpty();
                }));
    }

    @Test
    void whatIsNotThereIsFoundBeforeAnythingIsOpened() {
        Path note = temp.resolve("note");
        Path model = temp.resolve("modle.gguf");
        assertThat(asked("--docs", note.toString()))
                .isEqualTo("pollux: There is no file or folder " + note + "; did you mean '" + docs + "'?" + NL);
        assertThat(asked("--docs", docs.toString(), "--model", model.toString()))
                .isEqualTo("pollux: There is no model '" + model + "'; did you mean '" + temp.resolve("model.gguf")
                        + "'?" + NL);
        assertThat(asked("--docs", docs.toString(), "--model", "smollm2-135m-instrct"))
                .isEqualTo(
                        "pollux: There is no model 'smollm2-135m-instrct'; did you mean 'smollm2-135m-instruct'?" + NL);
        assertThat(asked("--docs", docs.toString(), "--adapter", note.toString()))
                .isEqualTo("pollux: There is no adapter at " + note + "; did you mean '" + docs + "'?" + NL);
        assertThat(asked("--docs", "'my"))
                .isEqualTo("pollux: There is no file or folder 'my; in this shell, quote with \"" + NL);
        assertThat(temp.resolve("cache")).doesNotExist();
    }

    private String asked(String... options) {
        String[] all = Stream.of(
                        Stream.of("ask", "--cache", temp.resolve("cache").toString()),
                        Stream.of(options),
                        Stream.of("Why?"))
                .flatMap(words -> words)
                .toArray(String[]::new);
        Run run = Run.of(all);
        assertThat(run.code()).isEqualTo(ExitCode.ERROR);
        assertThat(run.out()).isEmpty();
        return run.err();
    }

    @Test
    void filesThatCannotBeReadAreNamedWithoutNamesOfJava() {
        Path nowhere = temp.resolve("nowhere.txt");
        assertThat(Run.of("generate", "--file", nowhere.toString()).err())
                .isEqualTo("pollux: There is no file or folder " + nowhere + "; check the path of --file" + NL);
        assertThat(Run.of("generate", "--file", docs.toString()).err())
                .isEqualTo("pollux: --file must be a file but " + docs + " is a folder" + NL
                        + "Try 'pollux generate --help'." + NL);
        assertThat(Run.of("merge", nowhere.toString(), "out").err())
                .isEqualTo("pollux: Cannot read " + nowhere + ": there is no such file: " + nowhere + NL);
        assertThat(Run.of(
                                "ask",
                                "--docs",
                                docs.toString(),
                                "--cache",
                                temp.resolve("model.gguf").toString(),
                                "Why?")
                        .err())
                .isEqualTo("pollux: --cache must be a folder but " + temp.resolve("model.gguf") + " is a file" + NL);
    }

    @Test
    void polluxAloneSaysWhatItCanDo() {
        Run run = Run.of();

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines().toList())
                .hasSizeLessThan(10)
                .startsWith("Usage: pollux COMMAND [OPTIONS]")
                .endsWith("Try 'pollux --help'.");
    }

    @Test
    void helpIsACommandToo() {
        assertThat(Run.of("help")).isEqualTo(Run.of("--help"));
        assertThat(Run.of("help", "search")).isEqualTo(Run.of("search", "--help"));
    }

    @Test
    void messagesOfJavaAreMadePlain() {
        assertThat(Plainly.said("Cannot read a: java.nio.file.AccessDeniedException: a"))
                .isEqualTo("Cannot read a: permission is denied: a");
        assertThat(Plainly.said("Cannot write b: java.io.IOException: No space left on device"))
                .isEqualTo("Cannot write b: No space left on device");
        assertThat(Plainly.said("java.lang.IllegalStateException: it is closed"))
                .isEqualTo("it is closed");
    }

    @Test
    void quotesThatAShellDoesNotKnowAreTakenOff() {
        assertThat(Question.of(List.of("'Who", "rowed?'"))).isEqualTo("Who rowed?");
        assertThat(Question.of(List.of("“Who rowed?”"))).isEqualTo("Who rowed?");
        assertThat(Question.of(List.of("„Wer?“"))).isEqualTo("Wer?");
        assertThat(Question.of(List.of("'a'", "or", "'b'"))).isEqualTo("'a' or 'b'");
        assertThat(Question.of(List.of("'"))).isEqualTo("'");
        assertThat(Question.of(List.of("What", "is", "\"it\"?"))).isEqualTo("What is \"it\"?");
    }

    @Test
    void theClosestWordIsNotFarAndNotOneOfTwo() {
        assertThat(Closest.to("--tpo-k", List.of("--top-k", "--top-p"))).contains("--top-k");
        assertThat(Closest.to("--top-q", List.of("--top-k", "--top-p"))).isEmpty();
        assertThat(Closest.to("zebra", List.of("ask", "chat"))).isEmpty();
        assertThat(Closest.to("ASK", List.of("ask", "chat"))).contains("ask");
    }
}
