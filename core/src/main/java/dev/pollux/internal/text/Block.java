package dev.pollux.internal.text;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A leaf of a text's structure: a paragraph, a heading, a row of a table, a piece of code. <em>Immutable.</em>
 *
 * @param kind kind of the block
 * @param start first character of its text, after marks such as {@code - } and {@code ## }
 * @param end one past the last
 * @param firstLine index of its first line in the text, from 0; fences of code count
 * @param endLine one past its last line
 * @param level of a section's heading, 1 to 6; 0 for everything else, headings inside lists and quotes too
 * @param path the headings above, outermost first; a heading's own path ends with itself
 * @param place the enclosing list, quote or table
 */
public record Block(
        Kind kind, int start, int end, int firstLine, int endLine, int level, List<Heading> path, Place place) {

    /** The kind of a block. */
    public enum Kind {
        /** Front matter, before the first line of text. */
        FRONT_MATTER,
        HEADING,
        PARAGRAPH,
        /** A paragraph that is marked as a question, by {@code Q:} or by being bold. */
        QUESTION,
        /** A paragraph that is marked as an answer, such as by {@code A:}. */
        ANSWER,
        /** The term that definitions follow. */
        TERM,
        TABLE_HEAD,
        TABLE_ROW,
        CODE,
        /** Invisible or empty content: comments, link definitions, rules, scripts. */
        SILENT
    }

    /** A heading and where it begins. */
    public record Heading(int level, String title, int start) {}

    /**
     * The structures around a block.
     *
     * @param group number of the outermost list, quote, table or other whole that it is part of; the same for its neighbours
     *     in that whole, another for the next
     * @param quotes block quotes around it
     * @param items list items around it, outermost first
     * @param table number of its table, 0 outside
     * @param note label of the footnote it is in; empty outside
     * @param defines whether it defines the term before it
     */
    public record Place(int group, int quotes, List<Item> items, int table, String note, boolean defines) {

        /** The innermost list item; null outside of lists. */
        public @Nullable Item item() {
            return items.isEmpty() ? null : items.get(items.size() - 1);
        }
    }

    /**
     * An item of a list.
     *
     * @param list number of the list in the text, from 1
     * @param number its number, in an ordered list; 0 in another
     * @param mark as it is shown, such as {@code 3.} or {@code -}
     * @param line index of the line it begins in
     */
    public record Item(int list, int number, String mark, int line) {}

    /** The text of the block, verbatim. */
    public String of(String text) {
        return text.substring(start, end);
    }
}
