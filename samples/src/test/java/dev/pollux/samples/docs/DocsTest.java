package dev.pollux.samples.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;
import picocli.CommandLine;

/**
 * Holds the documents to the code: every fenced block of README.md, CONTRIBUTING.md, SECURITY.md and docs/ is checked by
 * its language, every relative link leads to a file, and every command of a workflow is one of this build.
 */
class DocsTest {

    private static final Path ROOT =
            Path.of(System.getProperty("pollux.root", "..")).toAbsolutePath().normalize();
    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:|#|mailto:)([^)#\\s]+)(?:#[^)]*)?\\)");

    /** A step of a workflow that is one command. */
    private static final Pattern COMMAND = Pattern.compile("- run: (?!\\|)(.+)");

    private static final String FROM = "from ";

    /** Languages that hold nothing to check. */
    private static final Set<String> FREE = Set.of("text");

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> everyCodeBlockHolds() throws IOException {
        JavaSnippets java = new JavaSnippets(temp);
        MavenBuild build = new MavenBuild(ROOT);
        ShellSnippets shell = new ShellSnippets(ROOT, build, DocsTest::parse);
        return documents().stream().flatMap(file -> {
            List<CodeBlock> blocks = CodeBlock.of(ROOT, file);
            return blocks.stream()
                    .map(block -> dynamicTest(block.place() + " " + block.language(), () -> {
                        switch (block.language()) {
                            case "java" -> java(java, blocks, block);
                            case "sh" -> shell.check(block.text());
                            case "kotlin" -> build.checkGradle(block.text());
                            case "xml" -> build.checkXml(block.text());
                            case "json" -> JsonNode.parse(block.text());
                            default ->
                                assertThat(FREE)
                                        .as("%s: a language that is checked or free", block.place())
                                        .contains(block.language());
                        }
                    }));
        });
    }

    /** A block below {@code <!-- from FILE -->} is part of that class, whose module has what it needs; others are compiled here. */
    private static void java(JavaSnippets java, List<CodeBlock> blocks, CodeBlock block) throws IOException {
        if (block.marker().startsWith(FROM)) {
            String whole = Files.readString(ROOT.resolve(block.marker().substring(FROM.length())));
            assertThat(joined(whole)).as(block.place()).contains(joined(block.text()));
        } else {
            java.check(before(blocks, block), block);
        }
    }

    /** A text without its line breaks and indents. */
    private static String joined(String text) {
        return text.replaceAll("\\s+", " ");
    }

    @TestFactory
    Stream<DynamicTest> everyCommandOfAWorkflowHolds() throws IOException {
        ShellSnippets shell = new ShellSnippets(ROOT, new MavenBuild(ROOT), DocsTest::parse);
        try (Stream<Path> workflows = Files.list(ROOT.resolve(".github/workflows"))) {
            return workflows.sorted().toList().stream()
                    .map(file -> dynamicTest(file.getFileName().toString(), () -> {
                        Matcher commands = COMMAND.matcher(Files.readString(file));
                        while (commands.find()) {
                            shell.check(commands.group(1));
                        }
                    }));
        }
    }

    @TestFactory
    Stream<DynamicTest> everyLinkLeadsToAFile() throws IOException {
        return documents().stream()
                .map(file -> dynamicTest(ROOT.relativize(file).toString(), () -> {
                    Matcher links = LINK.matcher(Files.readString(file));
                    while (links.find()) {
                        assertThat(file.resolveSibling(links.group(1)).normalize())
                                .as("target of %s", links.group())
                                .exists();
                    }
                }));
    }

    private static List<Path> documents() throws IOException {
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            return Stream.concat(
                            Stream.of("README.md", "CONTRIBUTING.md", "SECURITY.md")
                                    .map(ROOT::resolve),
                            docs.filter(path -> path.toString().endsWith(".md")).sorted())
                    .toList();
        }
    }

    /** The blocks that this one goes on from. */
    private static List<CodeBlock> before(List<CodeBlock> blocks, CodeBlock block) {
        List<CodeBlock> java =
                blocks.stream().filter(b -> b.language().equals("java")).toList();
        int end = java.indexOf(block);
        int begin = end;
        while (begin > 0 && java.get(begin).marker().equals("continues")) {
            begin--;
        }
        return new ArrayList<>(java.subList(begin, end));
    }

    /** Lets the command line parse {@code arguments} without running them. */
    private static void parse(List<String> arguments) {
        CommandLine pollux;
        try {
            Method factory = Class.forName("dev.pollux.samples.cli.Pollux").getDeclaredMethod("commandLine");
            factory.setAccessible(true);
            pollux = (CommandLine) factory.invoke(null);
        } catch (ClassNotFoundException e) {
            throw new TestAbortedException("The command line is not part of this build", e);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("dev.pollux.samples.cli.Pollux must have a static commandLine()", e);
        }
        pollux.parseArgs(arguments.toArray(String[]::new));
    }
}
