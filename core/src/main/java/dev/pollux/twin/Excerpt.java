package dev.pollux.twin;

import dev.pollux.internal.text.Block.Item;
import dev.pollux.internal.text.Sentence;
import java.util.List;

/**
 * Consecutive lines of a passage that are quoted together. <em>Immutable.</em>
 *
 * @param start first character in the passage's text
 * @param end end in the passage's text, exclusive
 * @param quote verbatim except for invisible text
 * @param text the quote for display
 * @param from index of the first line
 * @param to end index of the lines, exclusive
 */
record Excerpt(int start, int end, String quote, String text, int from, int to) {

    /** An excerpt of one line. */
    static Excerpt of(SentenceSpan line) {
        return new Excerpt(
                line.range().start(), line.range().end(), line.quote(), line.text(), line.index(), line.index() + 1);
    }

    /** An excerpt of the lines [{@code from}, {@code to}) of a source. */
    static Excerpt of(EvidencePassage source, int from, int to) {
        List<SentenceSpan> lines = source.lines().subList(from, to);
        SentenceSpan first = lines.get(0);
        SentenceSpan last = lines.get(lines.size() - 1);
        long items = lines.stream().filter(line -> isItemStart(source, line)).count();
        Item item = first.range().block().place().item();
        boolean marked = items > 1 || items == 1 && (item == null || item.number() > 0);
        int start = marked ? start(source, first) : first.range().start();
        return new Excerpt(
                start,
                last.range().end(),
                source.visible(start, last.range().end()),
                shown(source, lines, marked),
                from,
                to);
    }

    /** This excerpt with another display text. */
    Excerpt showing(String shown) {
        return new Excerpt(start, end, quote, shown, from, to);
    }

    /** The display text: one line per block and list item, code in fences. */
    private static String shown(EvidencePassage source, List<SentenceSpan> lines, boolean marked) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            SentenceSpan line = lines.get(i);
            boolean same = i > 0
                    && lines.get(i - 1).range().block().equals(line.range().block());
            boolean code = line.range().kind() == Sentence.Kind.CODE && lines.size() > 1;
            boolean goesOn = i + 1 < lines.size()
                    && lines.get(i + 1).range().block().equals(line.range().block());
            shown.append(i == 0 ? "" : same && !code ? " " : "\n");
            shown.append(code && !same ? "```\n" : "")
                    .append(marked && isItemStart(source, line) ? mark(line) : "")
                    .append(line.text());
            shown.append(code && !goesOn ? "\n```" : "");
        }
        return shown.toString();
    }

    private static String mark(SentenceSpan line) {
        List<Item> items = line.range().block().place().items();
        return "  ".repeat(items.size() - 1) + items.get(items.size() - 1).mark() + " ";
    }

    /** Whether a line is the first of a list item. */
    private static boolean isItemStart(EvidencePassage source, SentenceSpan line) {
        Item item = line.range().block().place().item();
        return item != null && item.line() == line.range().block().firstLine() && source.opensBlock(line);
    }

    /** The start of a line, including the marker of its list item. */
    private static int start(EvidencePassage source, SentenceSpan line) {
        int start = line.range().start();
        if (!isItemStart(source, line)) {
            return start;
        }
        String text = source.passage().text();
        while (start > 0 && text.charAt(start - 1) != '\n' && text.charAt(start - 1) != '\r') {
            start--;
        }
        while (start < line.range().start() && Character.isWhitespace(text.charAt(start))) {
            start++;
        }
        return start;
    }
}
