package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a Markdown text into blocks by its lines: paragraphs, list items, table rows, headings, code. Marks such as
 * {@code - } and {@code ## } are outside the blocks. Plain text is Markdown without marks.
 *
 * <p>Only what bears on where a sentence begins and ends is told apart; emphasis, links and other inline marks stay in
 * the text. <em>Confined to one thread.</em>
 */
public final class MarkdownBlocks {

    // Matched with lookingAt on the region of one line; none has nested repetition.
    private static final Pattern FENCE = Pattern.compile("[ \\t]*(```+|~~~+)");
    private static final Pattern HEADING = Pattern.compile(" {0,3}(#{1,6})[ \\t]+");
    private static final Pattern UNDERLINE = Pattern.compile(" {0,3}(=+|-+)[ \\t]*");
    private static final Pattern RULE = Pattern.compile(" {0,3}[-*_]([ \\t]*[-*_]){2,}[ \\t]*");
    private static final Pattern TABLE_RULE = Pattern.compile("[ \\t|:+-]*-[ \\t|:+-]*");
    private static final Pattern LINK_DEFINITION = Pattern.compile(" {0,3}\\[[^\\]]{1,200}\\]:[ \\t]*\\S+.*");
    private static final Pattern MARK =
            Pattern.compile("(?:[ \\t]*>)*[ \\t]*(?:[-*+•]|\\d{1,9}[.)])[ \\t]+(?:\\[[ xX]\\][ \\t]+)?");
    private static final Pattern QUOTE = Pattern.compile("(?:[ \\t]*>)+[ \\t]*");

    private final String text;
    private final List<Sentence> blocks = new ArrayList<>();
    private int open = -1; // start of the paragraph or list item being read
    private int openEnd;
    private int code = -1; // start of the fenced code being read, -1 outside
    private int codeEnd;
    private String fence = "";
    private boolean inCode;

    private MarkdownBlocks(String text) {
        this.text = text;
    }

    /**
     * The blocks of {@code text} in order; none is blank.
     *
     * @param fence the mark of the fenced code that the text begins in; empty where it begins outside
     */
    public static List<Sentence> of(String text, String fence) {
        MarkdownBlocks blocks = new MarkdownBlocks(text);
        blocks.inCode = !fence.isEmpty();
        blocks.fence = fence;
        for (int start = 0; start < text.length(); ) {
            int end = lineEnd(text, start);
            blocks.line(start, end);
            start = nextLine(text, end);
        }
        blocks.endCode();
        blocks.endParagraph();
        return blocks.blocks;
    }

    private void line(int start, int end) {
        Matcher fenceMark = at(FENCE, start, end);
        boolean isFence = fenceMark.lookingAt()
                && (inCode || !text.substring(fenceMark.end(), end).contains("`"));
        if (inCode) {
            if (isFence
                    && fenceMark.group(1).startsWith(fence)
                    && text.substring(fenceMark.end(), end).isBlank()) {
                endCode();
            } else {
                code = code < 0 ? start : code;
                codeEnd = end;
            }
        } else if (isFence) {
            endParagraph();
            inCode = true;
            fence = fenceMark.group(1);
        } else {
            markdownLine(start, end);
        }
    }

    private void markdownLine(int start, int end) {
        Matcher heading = at(HEADING, start, end);
        Matcher mark = at(MARK, start, end);
        if (text.substring(start, end).isBlank()) {
            endParagraph();
        } else if (open >= 0 && at(UNDERLINE, start, end).matches()) {
            add(open, openEnd, Sentence.Kind.HEADING, text.substring(start, end).indexOf('=') >= 0 ? 1 : 2);
            open = -1;
        } else if (at(RULE, start, end).matches()
                || at(LINK_DEFINITION, start, end).matches()) {
            endParagraph();
        } else if (heading.lookingAt()) {
            endParagraph();
            add(heading.end(), end, Sentence.Kind.HEADING, heading.end(1) - heading.start(1));
        } else if (isTableRow(start, end)) {
            endParagraph();
            tableRow(start, end);
        } else if (mark.lookingAt()) {
            endParagraph();
            extend(mark.end(), end);
        } else {
            Matcher quote = at(QUOTE, start, end);
            extend(quote.lookingAt() && open < 0 ? quote.end() : start, end);
        }
    }

    private void extend(int start, int end) {
        open = open < 0 ? start : open;
        openEnd = end;
    }

    /** A row begins with a bar and holds another. */
    private boolean isTableRow(int start, int end) {
        String line = text.substring(start, end).strip();
        return line.startsWith("|") && line.length() > 1 && line.indexOf('|', 1) > 0;
    }

    private void tableRow(int start, int end) {
        if (at(TABLE_RULE, start, end).matches()) {
            // The row above is the head: it names the columns and says nothing.
            int last = blocks.size() - 1;
            if (last >= 0 && blocks.get(last).kind() == Sentence.Kind.TABLE_ROW) {
                Sentence head = blocks.remove(last);
                blocks.add(new Sentence(head.start(), head.end(), Sentence.Kind.HEADING));
            }
        } else {
            add(start, end, Sentence.Kind.TABLE_ROW);
        }
    }

    private void endParagraph() {
        if (open >= 0) {
            add(open, openEnd, Sentence.Kind.PROSE);
            open = -1;
        }
    }

    private void endCode() {
        if (code >= 0) {
            add(code, codeEnd, Sentence.Kind.CODE);
        }
        code = -1;
        inCode = false;
    }

    private void add(int start, int end, Sentence.Kind kind) {
        add(start, end, kind, 0);
    }

    private void add(int start, int end, Sentence.Kind kind, int level) {
        int from = start;
        int to = end;
        while (from < to && Character.isWhitespace(text.charAt(from))) {
            from++;
        }
        while (to > from && Character.isWhitespace(text.charAt(to - 1))) {
            to--;
        }
        if (from < to) {
            blocks.add(new Sentence(from, to, kind, level));
        }
    }

    private Matcher at(Pattern pattern, int start, int end) {
        return pattern.matcher(text).region(start, end);
    }

    private static int lineEnd(String text, int start) {
        int i = start;
        while (i < text.length() && text.charAt(i) != '\n' && text.charAt(i) != '\r') {
            i++;
        }
        return i;
    }

    private static int nextLine(String text, int lineEnd) {
        boolean crLf = lineEnd + 1 < text.length() && text.charAt(lineEnd) == '\r' && text.charAt(lineEnd + 1) == '\n';
        return lineEnd + (crLf ? 2 : 1);
    }
}
