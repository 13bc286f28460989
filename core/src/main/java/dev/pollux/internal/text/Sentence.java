package dev.pollux.internal.text;

/**
 * A sentence, list item, table row or block of code in a text.
 *
 * @param start first character in the text
 * @param end one past the last
 * @param kind kind of the sentence
 * @param level of a section's heading, 1 to 6; 0 for everything else
 * @param block its block
 */
public record Sentence(int start, int end, Kind kind, int level, Block block) {

    public enum Kind {
        PROSE,
        /** A name without a statement: a heading, the header of a table, a term. */
        HEADING,
        TABLE_ROW,
        CODE
    }

    public String of(String text) {
        return text.substring(start, end);
    }
}
