package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;
import dev.pollux.internal.text.Syntax.Mark;
import java.util.regex.Matcher;

/**
 * Reads the block structure of Markdown: CommonMark 0.31, the tables, alerts and footnotes of GitHub, front matter,
 * definition lists, and the marks of questions and answers. <em>Confined to one thread.</em>
 */
final class MarkdownReader {

    /*
     * One pass over the lines. Each line first continues the open containers (quotes, items, footnotes) that its prefix
     * matches, then may open others. The rest of the line belongs to a leaf: it continues the open leaf or starts a new one.
     * This is the algorithm of CommonMark's appendix without its second phase, the parsing of inline marks.
     *
     * It departs from CommonMark where the specification loses visible text: a comment does not end a paragraph and may
     * contain blank lines; a list mark may be indented deep inside an item; an ordered list continues after code between its
     * items; indented prose is prose; an underlined paragraph of sentences is a paragraph above a rule.
     *
     * Time is linear: each line is matched against at most DEEPEST containers, every pattern is linear in the line, and a
     * failed search for the end of a comment or raw tag is not repeated.
     */

    private static final int DEEPEST = 12;
    private static final int CODE_INDENT = 4;

    /** Lines of an underlined title. */
    private static final int LONGEST_TITLE = 3;

    private final String text;
    private final Lines lines;
    private final BlockSink out;
    private final Containers open;
    private final HtmlReader html;
    private final OpenCode code;

    private int line;
    private int skipTo = -1; // characters before it are in a comment or a raw tag
    private int paragraph = -1; // start of the paragraph being read
    private int paragraphEnd;
    private int paragraphLine;
    private boolean labelled; // whether it is marked as a question or an answer
    private int lastStart; // of its last line
    private boolean table; // whether rows may follow

    private MarkdownReader(String text) {
        this.text = text;
        this.lines = new Lines(text);
        this.out = new BlockSink(text, lines);
        this.open = new Containers();
        this.html = new HtmlReader(text, out);
        this.code = new OpenCode(lines, out, open);
    }

    /** Reads a whole document. */
    static Reading document(String text) {
        MarkdownReader reader = new MarkdownReader(text);
        int front = FrontMatter.endLine(reader.lines);
        if (front > 0) {
            int from = front > 2 ? reader.lines.start(1) : reader.lines.start(front - 1);
            reader.out.add(
                    Kind.FRONT_MATTER, new Extent(from, reader.lines.start(front - 1), 0, front), reader.open.next());
        }
        return reader.read(front);
    }

    /** Reads a text that begins anywhere in its document. */
    static Reading part(String text) {
        return new MarkdownReader(text).read(0);
    }

    private Reading read(int from) {
        for (line = from; line < lines.count(); line++) {
            if (lines.end(line) > skipTo || lines.start(line) > skipTo) {
                LineCursor cursor = new LineCursor(text, lines.start(line), lines.end(line));
                if (skipTo <= cursor.at) {
                    line(cursor);
                }
                while (skipTo > cursor.at && skipTo < cursor.end) {
                    cursor.at = skipTo;
                    inside(cursor);
                }
            }
        }
        endLeaf();
        return out.reading();
    }

    /** The text after a comment on its line. */
    private void inside(LineCursor cursor) {
        if (!cursor.blank()) {
            text(cursor);
        }
    }

    private void line(LineCursor cursor) {
        int matched = open.match(cursor);
        if (code.isFenced()) {
            if (matched == open.depth()) {
                code.goesOn(text.substring(cursor.first(), cursor.end), cursor.end, line);
                return;
            }
            endLeaf();
        }
        boolean opened = containers(cursor, matched);
        if (cursor.blank()) {
            blank(matched);
            return;
        }
        boolean goesOn = opened || matched == open.depth();
        if (!goesOn && paragraph >= 0 && !begins(cursor)) {
            extend(cursor); // a lazy continuation
            return;
        }
        if (!goesOn) {
            close(matched);
        }
        leaf(cursor, opened);
    }

    /** Opens the containers that begin here and returns whether there were any. */
    private boolean containers(LineCursor cursor, int matchedBefore) {
        int matched = matchedBefore;
        boolean opened = false;
        while (open.depth() < DEEPEST && !cursor.blank()) {
            String rest = text.substring(cursor.first(), cursor.end);
            Mark mark = Syntax.isRule(rest) ? null : Syntax.mark(rest);
            boolean deep = cursor.indent() >= CODE_INDENT;
            boolean here = matched == open.depth();
            if (deep && !(mark != null && (open.inItem() && (here || paragraph < 0)))) {
                break;
            }
            String note = Syntax.note(rest);
            if (rest.charAt(0) == '>') {
                close(matched);
                endLeaf();
                open.quote(cursor);
            } else if (mark != null && mayBegin(mark, rest, here)) {
                close(matched);
                endLeaf();
                open.item(cursor, mark, line);
            } else if (!note.isEmpty()) {
                close(matched);
                endLeaf();
                open.note(cursor, note, rest.indexOf(':') + 1);
            } else if (rest.startsWith(": ") && (here ? endTerm() : open.isDefinition(matched))) {
                close(matched);
                open.definition(cursor);
            } else {
                break;
            }
            opened = true;
            matched = open.depth();
        }
        return opened;
    }

    /** A list that interrupts a paragraph begins with 1 and is not empty, unless the paragraph introduces it. */
    private boolean mayBegin(Mark mark, String rest, boolean here) {
        if (paragraph < 0 || !here) {
            return true;
        }
        boolean empty = rest.substring(mark.length()).isBlank();
        return !empty && (!mark.ordered() || mark.number() == 1 || text.charAt(paragraphEnd - 1) == ':');
    }

    private boolean endTerm() {
        if (paragraph >= 0) {
            out.add(Kind.TERM, new Extent(paragraph, paragraphEnd, paragraphLine, line), open.next());
            paragraph = -1;
            return true;
        }
        return out.lastAsTerm(line);
    }

    private void blank(int matched) {
        if (code.isOpen()) {
            return; // indented code may go on
        }
        close(matched);
        endLeaf();
    }

    /** Whether a line starts a block other than a paragraph, so that it cannot be a lazy continuation. */
    private boolean begins(LineCursor cursor) {
        String rest = text.substring(cursor.first(), cursor.end);
        return cursor.indent() < CODE_INDENT
                && (Syntax.ATX.matcher(rest).matches()
                        || Syntax.FENCE.matcher(rest).matches()
                        || Syntax.isRule(rest)
                        || !HtmlTags.block(rest).isEmpty()
                        || Syntax.isLinkDefinition(rest)
                        || rest.startsWith(HtmlReader.COMMENT));
    }

    private void leaf(LineCursor cursor, boolean opened) {
        int start = cursor.first();
        String rest = text.substring(start, cursor.end);
        if (cursor.indent() >= CODE_INDENT && paragraph < 0) {
            indented(cursor, rest);
            return;
        }
        code.endIndented();
        Matcher atx = Syntax.ATX.matcher(rest);
        Matcher mark = Syntax.FENCE.matcher(rest);
        if (atx.matches()) {
            endLeaf();
            open.leaf();
            int from = atx.group(2) == null ? cursor.end : start + atx.start(2);
            heading(atx.group(1).length(), from, cursor.end, line);
        } else if (mark.matches()) {
            endLeaf();
            open.leaf();
            code.fence(mark.group(1), line);
        } else if (paragraph >= 0 && !opened && Syntax.UNDERLINE.matcher(rest).matches() && isTitle(rest)) {
            int level = rest.charAt(0) == '=' ? 1 : 2;
            int from = paragraph;
            paragraph = -1;
            heading(level, from, paragraphEnd, paragraphLine);
        } else if (Syntax.isRule(rest)) {
            endLeaf();
            open.leaf();
            out.add(Kind.SILENT, new Extent(start, cursor.end, line, line + 1), open.next());
        } else if (!raw(cursor, rest)) {
            text(cursor);
        }
    }

    /** Whether the open paragraph is a title and not sentences above a rule. */
    private boolean isTitle(String underline) {
        if (line - paragraphLine > LONGEST_TITLE) {
            return false;
        }
        String title = text.substring(paragraph, paragraphEnd);
        return underline.charAt(0) == '=' || !title.endsWith(".") || title.indexOf(". ") < 0;
    }

    private void heading(int level, int from, int to, int first) {
        boolean section = open.depth() == 0;
        out.heading(section ? level : 0, new Extent(from, to, first, line + 1), open.next());
        open.section();
        table = false;
    }

    /** Raw HTML, if it begins here. */
    private boolean raw(LineCursor cursor, String rest) {
        if (rest.charAt(0) != '<') {
            return false;
        }
        if (rest.startsWith(HtmlReader.COMMENT)) {
            int end = html.commentEnd(cursor.first());
            if (end < 0) {
                return false;
            }
            out.hide(cursor.first(), end);
            if (paragraph < 0) {
                endLeaf();
                open.leaf();
                out.add(Kind.SILENT, new Extent(cursor.first(), end, line, lines.at(end - 1) + 1), open.next());
            }
            skipTo = end;
            return true;
        }
        boolean interrupts = !HtmlTags.block(rest).isEmpty();
        int end = interrupts || paragraph < 0 ? html.end(cursor.first(), rest, lines, line) : -1;
        if (end < 0) {
            return false;
        }
        endLeaf();
        int first = cursor.first();
        html.read(new Extent(first, end, line, lines.at(Math.max(first, end - 1)) + 1), open);
        skipTo = Math.max(end, cursor.end);
        return true;
    }

    /** A line of a paragraph or table. */
    private void text(LineCursor cursor) {
        int start = cursor.first();
        String rest = text.substring(start, cursor.end);
        if (Syntax.isDelimiterRow(rest) && tableHead(rest)) {
            return;
        }
        if (table && Cells.hasBar(rest) || paragraph < 0 && Cells.isRow(rest)) {
            row(start, cursor.end);
            return;
        }
        table = false;
        if (paragraph < 0 && isSilent(rest)) {
            open.leaf();
            out.add(Kind.SILENT, new Extent(start, cursor.end, line, line + 1), open.next());
        } else if (paragraph < 0 && open.inQuote() && Syntax.ALERT.matcher(rest).matches()) {
            open.leaf();
            out.heading(0, new Extent(start, cursor.end, line, line + 1), open.next());
        } else {
            if (paragraph >= 0 && labelled && Labels.marks(rest)) {
                endLeaf();
            }
            extend(cursor);
        }
    }

    /** A link definition, or the title of the one above. */
    private boolean isSilent(String rest) {
        return Syntax.isLinkDefinition(rest) || out.endsWithLinkDefinition(line) && Syntax.isTitle(rest);
    }

    private void extend(LineCursor cursor) {
        int start = cursor.first();
        if (paragraph < 0) {
            open.leaf();
            int box = open.atItemStart(line) ? Syntax.task(text.substring(start, cursor.end)) : 0;
            start += box;
            paragraph = start;
            paragraphLine = line;
            labelled = Labels.marks(text.substring(start, cursor.end));
        }
        lastStart = start;
        int hidden = html.commentIn(start, cursor.end);
        if (hidden >= 0) {
            int end = html.commentEnd(hidden);
            out.hide(hidden, end);
            paragraphEnd = Math.max(paragraph, hidden);
            skipTo = end;
        } else {
            paragraphEnd = cursor.end;
        }
    }

    private boolean tableHead(String delimiters) {
        int columns = Cells.of(delimiters).size();
        if (paragraph >= 0 && Cells.of(text.substring(lastStart, paragraphEnd)).size() == columns) {
            int head = lastStart;
            int headEnd = paragraphEnd;
            if (paragraph < lastStart) {
                paragraphEnd = lines.end(lines.at(lastStart) - 1);
                endParagraph(line - 1);
            }
            paragraph = -1;
            open.leaf();
            out.table();
            out.add(Kind.TABLE_HEAD, new Extent(head, headEnd, line - 1, line + 1), open.next(out.tableNumber()));
            table = true;
            return true;
        }
        if (paragraph < 0 && out.lastAsTableHead(line)) {
            table = true;
            return true;
        }
        return false;
    }

    private void row(int start, int end) {
        endParagraph(line);
        if (!table) {
            open.leaf();
            out.table();
            table = true;
        }
        out.add(Kind.TABLE_ROW, new Extent(start, end, line, line + 1), open.next(out.tableNumber()));
    }

    private void indented(LineCursor cursor, String rest) {
        table = false;
        if (!code.isOpen() && Syntax.isProse(rest)) {
            extend(cursor);
        } else {
            code.indented(cursor.first(), cursor.end, line);
        }
    }

    private void endParagraph(int endLine) {
        if (paragraph >= 0) {
            out.add(Kind.PARAGRAPH, new Extent(paragraph, paragraphEnd, paragraphLine, endLine), open.next());
            paragraph = -1;
        }
    }

    private void endLeaf() {
        endParagraph(line);
        code.end(line);
        table = false;
    }

    private void close(int depth) {
        if (open.depth() > depth) {
            endLeaf();
            open.close(depth);
        }
    }
}
