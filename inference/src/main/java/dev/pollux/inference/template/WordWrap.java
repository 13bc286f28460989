package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.List;

/** Lines of a given width, broken as Python's {@code textwrap} breaks them. <em>Immutable.</em> */
record WordWrap(int width, boolean breakLongWords, boolean breakOnHyphens) {

    private static final String SPACES = "\t\n\u000b\f\r ";

    WordWrap {
        if (width <= 0) {
            throw Failure.of("ValueError: invalid width " + width + " (must be > 0)");
        }
    }

    List<String> wrap(String text) {
        List<String> chunks = chunks(text);
        List<String> lines = new ArrayList<>();
        int next = 0;
        int done = 0; // units of chunk `next` that stand on earlier lines already
        while (next < chunks.size()) {
            if (!lines.isEmpty() && isBlank(chunks.get(next))) {
                next++;
                continue;
            }
            List<String> line = new ArrayList<>();
            int length = 0;
            while (next < chunks.size() && length + chunks.get(next).length() - done <= width) {
                line.add(chunks.get(next).substring(done));
                length += chunks.get(next++).length() - done;
                done = 0;
            }
            if (next < chunks.size() && chunks.get(next).length() - done > width) {
                String chunk = chunks.get(next);
                if (breakLongWords) {
                    int end = done + cut(chunk, done, width - length);
                    line.add(chunk.substring(done, end));
                    done = end;
                } else if (line.isEmpty()) {
                    line.add(chunk);
                    next++;
                }
            }
            if (!line.isEmpty() && isBlank(line.get(line.size() - 1))) {
                line.remove(line.size() - 1);
            }
            if (!line.isEmpty()) {
                lines.add(String.join("", line));
            }
        }
        return lines;
    }

    /** How much of a word too long for a line goes on it: up to a hyphen, if there is one. */
    private int cut(String chunk, int from, int space) {
        if (breakOnHyphens) {
            int hyphen = chunk.substring(from, from + space).lastIndexOf('-');
            if (hyphen > 0 && chunk.substring(from, from + hyphen).chars().anyMatch(c -> c != '-')) {
                return hyphen + 1;
            }
        }
        return space;
    }

    private static boolean isBlank(String chunk) {
        return CodePoints.stripEnd(chunk).isEmpty();
    }

    private static boolean isSpace(char c) {
        return SPACES.indexOf(c) >= 0;
    }

    /** Runs of spaces and the parts of words between which a line may break. */
    private List<String> chunks(String text) {
        List<String> chunks = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= text.length(); i++) {
            boolean end = i == text.length() || isSpace(text.charAt(i)) != isSpace(text.charAt(i - 1));
            if (end || breakOnHyphens && breaksBefore(text, i)) {
                chunks.add(text.substring(from, i));
                from = i;
            }
        }
        return chunks;
    }

    /** After the hyphen of a hyphenated word, and at both ends of a dash between words. */
    private static boolean breaksBefore(String text, int i) {
        if (text.charAt(i - 1) == '-') {
            boolean dash = i >= 2 && text.charAt(i - 2) == '-';
            return dash
                    ? text.charAt(i) != '-' && isWord(text.charAt(i)) && dashFollowsWord(text, i - 1)
                    : hyphenated(text, i);
        }
        int end = i;
        while (end < text.length() && text.charAt(end) == '-') {
            end++;
        }
        return end - i >= 2
                && end < text.length()
                && isWord(text.charAt(end))
                && (isWord(text.charAt(i - 1)) || "!\"'&.,?".indexOf(text.charAt(i - 1)) >= 0);
    }

    private static boolean dashFollowsWord(String text, int hyphen) {
        int i = hyphen;
        while (i >= 0 && text.charAt(i) == '-') {
            i--;
        }
        return i >= 0 && (isWord(text.charAt(i)) || "!\"'&.,?".indexOf(text.charAt(i)) >= 0);
    }

    /** Two letters, or a letter, hyphen and letter, before the hyphen, and likewise after it. */
    private static boolean hyphenated(String text, int i) {
        boolean before = letter(text, i - 2) && (letter(text, i - 3) || at(text, i - 3) == '-' && letter(text, i - 4));
        boolean after = letter(text, i) && (letter(text, i + 1) || at(text, i + 1) == '-' && letter(text, i + 2));
        return before && after;
    }

    private static char at(String text, int i) {
        return i < 0 || i >= text.length() ? 0 : text.charAt(i);
    }

    private static boolean letter(String text, int i) {
        char c = at(text, i);
        return Character.isLetter(c) || c == '_';
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }
}
