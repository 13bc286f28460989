package dev.pollux.samples.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A fenced code block of a Markdown file.
 *
 * @param file the file, relative to the project's root
 * @param line line of the opening fence, from 1
 * @param language the first word after the fence; empty where there is none
 * @param marker the HTML comment on the line above, without its brackets; empty where there is none
 * @param text the lines between the fences, joined by line feeds
 */
record CodeBlock(String file, int line, String language, String marker, String text) {

    private static final Pattern FENCE = Pattern.compile("( {0,3})(`{3,}|~{3,})\\s*([^\\s`]*).*");
    private static final Pattern COMMENT = Pattern.compile("\\s*<!--\\s*(.*?)\\s*-->\\s*");

    /** The blocks of a file in order. */
    static List<CodeBlock> of(Path root, Path file) {
        try {
            return of(root.relativize(file).toString().replace('\\', '/'), Files.readAllLines(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The blocks of a text in order; fails for a block that is not closed. */
    static List<CodeBlock> of(String file, List<String> lines) {
        List<CodeBlock> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (!fence.matches()) {
                continue;
            }
            int open = i;
            List<String> text = new ArrayList<>();
            while (++i < lines.size() && !closes(lines.get(i), fence.group(2))) {
                text.add(lines.get(i));
            }
            if (i == lines.size()) {
                throw new AssertionError(file + ":" + (open + 1) + ": the code block is not closed");
            }
            Matcher above = COMMENT.matcher(open == 0 ? "" : lines.get(open - 1));
            blocks.add(new CodeBlock(
                    file, open + 1, fence.group(3), above.matches() ? above.group(1) : "", String.join("\n", text)));
        }
        return blocks;
    }

    private static boolean closes(String line, String fence) {
        String stripped = line.strip();
        return stripped.length() >= fence.length() && stripped.chars().allMatch(c -> c == fence.charAt(0));
    }

    /** Where it stands, such as {@code README.md:12}. */
    String place() {
        return file + ":" + line;
    }
}
