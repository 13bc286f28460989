package dev.pollux.samples.docs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.opentest4j.TestAbortedException;

/**
 * Checks {@code sh} blocks without running them.
 *
 * <p>A {@code pollux} command must be accepted by the command line's own parser, a {@code mvn} command must name what the
 * build has, a script of this project must exist, and nothing else may be told to the reader but {@link #HARMLESS}.
 */
final class ShellSnippets {

    /** Commands that need no check. */
    private static final Set<String> HARMLESS = Set.of("cd", "git", "export", "jq", "ls", "cat", "head", "kill", "#");

    private final Path root;
    private final MavenBuild build;
    private final Consumer<List<String>> commandLine;

    /** @param commandLine given the arguments of a {@code pollux} command; throws if they are not right */
    ShellSnippets(Path root, MavenBuild build, Consumer<List<String>> commandLine) {
        this.root = root;
        this.build = build;
        this.commandLine = commandLine;
    }

    /** Fails for the first command that is wrong. */
    void check(String text) {
        for (String line : text.replace("\\\n", " ").split("\n")) {
            for (List<String> words : commands(line)) {
                try {
                    check(words);
                } catch (TestAbortedException e) {
                    throw e;
                } catch (RuntimeException | AssertionError e) {
                    throw new AssertionError("'" + line.strip() + "': " + e.getMessage(), e);
                }
            }
        }
    }

    private void check(List<String> words) {
        String command = words.get(0);
        List<String> rest = words.subList(1, words.size());
        if (command.equals("./pollux") || command.equals("pollux")) {
            commandLine.accept(rest);
        } else if (command.equals("java") && rest.contains("-jar")) {
            int jar = rest.indexOf("-jar") + 1;
            if (!rest.get(jar).equals("samples/target/pollux.jar")) {
                throw new AssertionError("the jar must be samples/target/pollux.jar but was " + rest.get(jar));
            }
            commandLine.accept(rest.subList(jar + 1, rest.size()));
        } else if (command.equals("mvn")) {
            build.checkCommand(rest);
        } else if (command.contains("/")) {
            if (!Files.isExecutable(root.resolve(command))) {
                throw new AssertionError(command + " must be an executable file of this project");
            }
        } else if (!HARMLESS.contains(command)) {
            throw new AssertionError("no check for the command " + command + "; add one or leave it out");
        }
    }

    /** The commands of a line as words, without variables before them and without redirections. */
    static List<List<String>> commands(String line) {
        List<List<String>> commands = new ArrayList<>();
        List<String> words = new ArrayList<>();
        boolean target = false;
        for (String word : words(line)) {
            if (word.equals("|") || word.equals("&&") || word.equals(";")) {
                commands.add(words);
                words = new ArrayList<>();
            } else if (word.equals(">") || word.equals(">>") || word.equals("<")) {
                target = true;
            } else if (target) {
                target = false;
            } else if (!words.isEmpty() || !word.matches("[A-Za-z_][A-Za-z_0-9]*=.*")) {
                words.add(word);
            }
        }
        commands.add(words);
        commands.removeIf(List::isEmpty);
        return commands;
    }

    /** The words of a line as a POSIX shell splits them, up to a comment; a quote that is not closed fails. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean inWord = false;
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
                inWord = true;
            } else if (c == '#' && !inWord) {
                break;
            } else if (Character.isWhitespace(c)) {
                if (inWord) {
                    words.add(word.toString());
                    word.setLength(0);
                    inWord = false;
                }
            } else {
                word.append(c);
                inWord = true;
            }
        }
        if (quote != 0) {
            throw new AssertionError("'" + line.strip() + "': the quote " + quote + " is not closed");
        }
        if (inWord) {
            words.add(word.toString());
        }
        return words;
    }
}
