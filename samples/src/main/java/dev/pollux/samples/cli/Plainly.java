package dev.pollux.samples.cli;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Rewrites messages of the library and of Java for users of the command line. */
final class Plainly {

    /** The name of an exception with its package, and the path that some of them have for a message. */
    private static final Pattern EXCEPTION =
            Pattern.compile("\\b(?:[a-z][a-z0-9]*\\.)+([A-Z]\\w*(?:Exception|Error))(?:: )?");

    /** Descriptions of exceptions whose message is only a path. */
    private static final Map<String, String> REASONS = Map.of(
            NoSuchFileException.class.getSimpleName(), "there is no such file: ",
            AccessDeniedException.class.getSimpleName(), "permission is denied: ",
            NotDirectoryException.class.getSimpleName(), "it is not a folder: ",
            FileAlreadyExistsException.class.getSimpleName(), "there is a file already: ");

    /** Advice for programmers, with replacements for users. */
    private static final List<Map.Entry<String, String>> ADVICE = List.of(
            Map.entry("; name the file with EmbedderOptions.file, or export", "; export"),
            Map.entry("another process or another KnowledgeBase of this one", "another process"),
            Map.entry("; close that one, or open this one read-only", "; wait for it, or give --wait SECONDS"),
            Map.entry("open that with OnnxEmbedder or OnnxReranker", "use it with --embedder"),
            Map.entry("open it with OnnxEmbedder", "use it with --embedder"));

    private Plainly() {}

    /** The message of an exception on one line, without names of Java's. */
    static String told(Throwable e) {
        return said(e.getMessage());
    }

    static String said(@Nullable String message) {
        Matcher exceptions = EXCEPTION.matcher(Texts.oneLine(String.valueOf(message)));
        String plain =
                exceptions.replaceAll(match -> Matcher.quoteReplacement(REASONS.getOrDefault(match.group(1), "")));
        for (Map.Entry<String, String> advice : ADVICE) {
            plain = plain.replace(advice.getKey(), advice.getValue());
        }
        return plain;
    }
}
