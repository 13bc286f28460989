package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Heading;
import dev.pollux.internal.text.Block.Kind;
import dev.pollux.internal.text.Block.Place;
import dev.pollux.internal.text.Reading.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the blocks of a text and knows the headings above the next. <em>Confined to one thread.</em> */
final class BlockSink {

    private static final int LONGEST_TITLE = 400;

    private final String text;
    private final Lines lines;
    private final List<Block> blocks = new ArrayList<>();
    private final List<Range> hidden = new ArrayList<>();
    private List<Heading> path = List.of();
    private int tables;

    BlockSink(String text, Lines lines) {
        this.text = text;
        this.lines = lines;
    }

    void add(Kind kind, Extent extent, Place place) {
        add(kind, 0, extent, place);
    }

    /** @param level of a section's heading; 0 inside lists and quotes, where it holds for nothing else */
    void heading(int level, Extent extent, Place place) {
        int start = extent.start();
        int to = extent.end();
        int marks = to;
        while (marks > start && " \t".indexOf(text.charAt(marks - 1)) >= 0) {
            marks--;
        }
        int hashes = marks;
        while (hashes > start && text.charAt(hashes - 1) == '#') {
            hashes--;
        }
        if (hashes < marks && (hashes == start || " \t".indexOf(text.charAt(hashes - 1)) >= 0)) {
            to = hashes; // a closing run of marks
        }
        if (level > 0) {
            List<Heading> above = new ArrayList<>(path);
            above.removeIf(heading -> heading.level() >= level);
            above.add(new Heading(level, title(start, to), lines.start(extent.firstLine())));
            path = List.copyOf(above);
        }
        add(Kind.HEADING, level, extent.of(start, to), place);
    }

    private String title(int start, int end) {
        String title = Inline.plain(text.substring(start, Math.max(start, end)));
        return title.length() <= LONGEST_TITLE
                ? title
                : title.substring(0, title.offsetByCodePoints(0, LONGEST_TITLE / 2)) + "…";
    }

    private void add(Kind kind, int level, Extent extent, Place place) {
        int from = extent.start();
        int to = Math.max(from, extent.end());
        while (from < to && Character.isWhitespace(text.charAt(from))) {
            from++;
        }
        while (to > from && Character.isWhitespace(text.charAt(to - 1))) {
            to--;
        }
        blocks.add(new Block(kind, from, to, extent.firstLine(), extent.endLine(), level, path, place));
    }

    void hide(int start, int end) {
        hidden.add(new Range(start, end));
    }

    /** Begins a table in the container that is open. */
    void table() {
        tables++;
    }

    /** The number of the table last begun. */
    int tableNumber() {
        return tables;
    }

    /** Makes the last block a term where it is one line right above {@code line} or above a blank one before it. */
    boolean lastAsTerm(int line) {
        Block last = last();
        boolean term = last != null
                && (last.kind() == Kind.PARAGRAPH
                                && last.endLine() - last.firstLine() == 1
                                && !last.place().defines()
                        || last.place().defines() && last.place().quotes() == 0)
                && line - last.endLine() <= 1;
        if (term && last != null && !last.place().defines()) {
            replaceLast(Kind.TERM, last.endLine());
        }
        return term;
    }

    /** Makes the last block the head of a table where it is the row right above {@code line}. */
    boolean lastAsTableHead(int line) {
        Block last = last();
        boolean head = last != null && last.kind() == Kind.TABLE_ROW && last.endLine() == line;
        if (head) {
            replaceLast(Kind.TABLE_HEAD, line + 1);
        }
        return head;
    }

    boolean endsWithLinkDefinition(int line) {
        Block last = last();
        return last != null
                && last.kind() == Kind.SILENT
                && last.endLine() == line
                && text.charAt(last.start()) == '['
                && last.endLine() - last.firstLine() == 1;
    }

    private void replaceLast(Kind kind, int endLine) {
        Block last = blocks.remove(blocks.size() - 1);
        blocks.add(new Block(kind, last.start(), last.end(), last.firstLine(), endLine, 0, last.path(), last.place()));
    }

    private @Nullable Block last() {
        return blocks.isEmpty() ? null : blocks.get(blocks.size() - 1);
    }

    /** The blocks, with embedded data hidden too. */
    Reading reading() {
        hidden.addAll(Data.in(text));
        hidden.sort(Comparator.comparingInt(Range::start));
        return new Reading(text, lines, Labels.of(text, blocks), hidden);
    }
}
