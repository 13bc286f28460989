package dev.pollux.samples.cli;

import java.util.regex.Pattern;

/**
 * Breaks lines between words at a width, as text comes. Fenced and indented code and rows of tables stay as they are; what
 * goes on below an item of a list is indented like it. <em>Not thread-safe: one thread at a time.</em>
 */
final class WordWrap {

    private static final int FEWEST_COLUMNS = 20;
    private static final int LONGEST_INDENT = 8;
    /** What decides whether a line may be broken. */
    private static final int LINE_START = 4;

    private static final Pattern FENCE = Pattern.compile("[ ]{0,3}(?:```|~~~).*", Pattern.DOTALL);
    private static final Pattern VERBATIM = Pattern.compile("(?:[ ]{4}|\t|[ ]{0,3}\\|).*", Pattern.DOTALL);
    private static final Pattern MARKER = Pattern.compile("[-*+]|\\d{1,3}[.)]|\\[\\d{1,3}\\]");

    private final int width;
    private final StringBuilder start = new StringBuilder(); // of a line that is not decided upon
    private final StringBuilder word = new StringBuilder();
    private final StringBuilder gap = new StringBuilder();
    private final StringBuilder out = new StringBuilder();
    private boolean fenced;
    private boolean verbatim;
    private boolean decided;
    private int column;
    private int indent;

    /** @param width columns of a line; fewer than {@value #FEWEST_COLUMNS} break nothing */
    WordWrap(int width) {
        this.width = width < FEWEST_COLUMNS ? Integer.MAX_VALUE : width;
    }

    /** The whole of a text. */
    static String wrapped(String text, int width) {
        WordWrap wrap = new WordWrap(width);
        return wrap.append(text) + wrap.end();
    }

    /** Takes the next piece; gives what can be shown of all so far. */
    String append(String text) {
        if (width == Integer.MAX_VALUE) {
            return text;
        }
        text.codePoints().forEach(this::append);
        return taken();
    }

    /** The rest. */
    String end() {
        if (width == Integer.MAX_VALUE) {
            return "";
        }
        if (!decided) {
            decide();
        }
        flush();
        out.append(gap);
        gap.setLength(0);
        return taken();
    }

    private void append(int c) {
        if (c == '\n') {
            if (!decided) {
                decide();
            }
            flush();
            gap.setLength(0);
            out.append('\n');
            decided = false;
            column = 0;
            indent = 0;
        } else if (!decided) {
            start.appendCodePoint(c);
            if (start.length() >= LINE_START) {
                decide();
            }
        } else {
            place(c);
        }
    }

    private void decide() {
        decided = true;
        String line = start.toString();
        start.setLength(0);
        boolean fence = FENCE.matcher(line).matches();
        verbatim = fenced || fence || VERBATIM.matcher(line).matches();
        fenced ^= fence;
        line.codePoints().forEach(this::place);
    }

    private void place(int c) {
        if (verbatim) {
            out.appendCodePoint(c);
        } else if (c == ' ') {
            flush();
            gap.append(' ');
        } else {
            word.appendCodePoint(c);
            if (columns(c) == 2) { // scripts without spaces may be broken anywhere
                flush();
            }
        }
    }

    private void flush() {
        if (word.isEmpty()) {
            return;
        }
        int length = columns(word.toString());
        boolean first = column == 0;
        if (column > indent && (long) column + gap.length() + length > width) {
            out.append('\n').append(" ".repeat(indent));
            column = indent;
        } else {
            out.append(gap);
            column += gap.length();
        }
        out.append(word);
        if (first && MARKER.matcher(word).matches()) {
            indent = Math.min(LONGEST_INDENT, column + length + 1);
        }
        column += length;
        gap.setLength(0);
        word.setLength(0);
    }

    private String taken() {
        String taken = out.toString();
        out.setLength(0);
        return taken;
    }

    /** The columns that a text takes on a terminal. */
    static int columns(String text) {
        return text.codePoints().map(WordWrap::columns).sum();
    }

    /** The beginning of a line that fits, with an ellipsis where something is left out. */
    static String cut(String line, int width) {
        if (width <= 1 || columns(line) <= width) {
            return line;
        }
        StringBuilder cut = new StringBuilder();
        int columns = 0;
        for (int c : line.codePoints().toArray()) {
            columns += columns(c);
            if (columns > width - 1) {
                break;
            }
            cut.appendCodePoint(c);
        }
        return cut + "…";
    }

    private static int columns(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        boolean wide = c >= 0x1100 && c <= 0x115F
                || c >= 0x2E80 && c <= 0xA4CF
                || c >= 0xAC00 && c <= 0xD7A3
                || c >= 0xF900 && c <= 0xFAFF
                || c >= 0xFE30 && c <= 0xFE6F
                || c >= 0xFF00 && c <= 0xFF60
                || c >= 0xFFE0 && c <= 0xFFE6
                || c >= 0x1F300 && c <= 0x1FAFF
                || c >= 0x20000 && c <= 0x3FFFD;
        return wide ? 2 : 1;
    }
}
