package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Place;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds a text in Markdown, block by block, with the location of each block. <em>Confined to one thread.</em> */
final class Markdown {

    /*
     * Extracted text is Markdown, so that chunking, evidence and answers know its headings, lists, tables and code by the one
     * reader of Markdown. A character of the original that Markdown would read as a mark is escaped, but only where it would:
     * what is quoted should look like the original.
     */

    private enum Kind {
        NONE,
        BLOCK,
        ITEM,
        ROW
    }

    private static final int DEEPEST_HEADING = 6;
    private static final int INDENT = 3;

    private final Guard guard;
    private final StringBuilder text = new StringBuilder();
    private final List<Place> places = new ArrayList<>();
    private @Nullable Location location;
    private Kind last = Kind.NONE;
    private boolean head; // whether the next row is the first of its table

    Markdown(Guard guard) {
        this.guard = guard;
    }

    /** The location of the blocks that follow. */
    void at(Location here) {
        location = here;
    }

    /** @param level 1 to 6; a deeper one is 6 */
    void heading(int level, String title) {
        String line = Escapes.line(Spaces.collapse(title).replace('\n', ' '));
        if (!line.isBlank()) {
            begin(Kind.BLOCK);
            text.append("#".repeat(Math.max(1, Math.min(DEEPEST_HEADING, level))))
                    .append(' ')
                    .append(line);
        }
    }

    /** A paragraph; its lines are kept. */
    void paragraph(String content) {
        String lines = Escapes.lines(Spaces.collapse(content));
        if (!lines.isBlank()) {
            begin(Kind.BLOCK);
            text.append(lines);
        }
    }

    /**
     * Continues the last paragraph.
     *
     * @param glue what separates it from its continuation, such as a blank
     */
    void more(String glue, String content) {
        String lines = Escapes.lines(Spaces.collapse(content));
        if (lines.isBlank()) {
            return;
        }
        text.append(glue);
        place();
        text.append(lines);
        guard.checkCharacters(text.length());
    }

    /**
     * An item of a list.
     *
     * @param depth 0 of an outermost list
     * @param mark such as {@code -} or {@code 3.}
     */
    void item(int depth, String mark, String content) {
        String lines = Escapes.lines(Spaces.collapse(content));
        if (!lines.isBlank()) {
            begin(Kind.ITEM);
            String indent = " ".repeat(INDENT * depth);
            String hanging = "\n" + indent + " ".repeat(mark.length() + 1);
            text.append(indent).append(mark).append(' ').append(lines.replace("\n", hanging));
        }
    }

    /** Code, verbatim. */
    void code(String content) {
        if (content.isBlank()) {
            return;
        }
        begin(Kind.BLOCK);
        String fence = "```";
        while (content.contains(fence)) {
            fence += "`";
        }
        String lines = content.replace("\r\n", "\n").stripTrailing();
        int first = 0;
        while (lines.startsWith("\n", first)) {
            first++;
        }
        text.append(fence)
                .append('\n')
                .append(lines, first, lines.length())
                .append('\n')
                .append(fence);
    }

    /** Begins a table; rows follow. */
    void table() {
        head = true;
    }

    /** A row; the first one of a table is its head. */
    void row(List<String> cells) {
        if (cells.stream().allMatch(String::isBlank)) {
            return;
        }
        if (head) {
            begin(Kind.BLOCK);
        } else {
            begin(Kind.ROW);
        }
        text.append('|');
        for (String cell : cells) {
            text.append(' ').append(Escapes.cell(Spaces.collapse(cell))).append(" |");
        }
        if (head) {
            text.append("\n|").append("---|".repeat(Math.max(1, cells.size())));
            head = false;
        }
        last = Kind.ROW;
    }

    private void begin(Kind kind) {
        guard.step();
        guard.checkCharacters(text.length());
        if (last != Kind.NONE) {
            boolean joined = kind == last && (kind == Kind.ITEM || kind == Kind.ROW);
            text.append(joined ? "\n" : "\n\n");
        }
        last = kind;
        place();
    }

    private void place() {
        if (location != null
                && (places.isEmpty()
                        || !places.get(places.size() - 1).location().equals(location))) {
            places.add(new Place(text.length(), location));
        }
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    int length() {
        return text.length();
    }

    /** The text so far. */
    String text() {
        guard.checkCharacters(text.length());
        return text.toString();
    }

    List<Place> places() {
        return places;
    }
}
