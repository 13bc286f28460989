package dev.pollux.internal.text;

/**
 * A sentence, list item, table row or block of code in a Markdown text.
 *
 * @param start first character in the text
 * @param end one past the last
 * @param kind what it is
 * @param level of a section's heading, 1 to 6; 0 for everything else
 */
public record Sentence(int start, int end, Kind kind, int level) {

    public Sentence(int start, int end, Kind kind) {
        this(start, end, kind, 0);
    }

    public enum Kind {
        PROSE,
        HEADING,
        TABLE_ROW,
        CODE
    }

    public Sentence atLevel(int newLevel) {
        return new Sentence(start, end, kind, newLevel);
    }

    public String of(String text) {
        return text.substring(start, end);
    }
}
