package dev.pollux.twin;

/**
 * A sentence, list item, table row or block of code in a Markdown text.
 *
 * @param start first character in the text
 * @param end one past the last
 * @param kind what it is
 */
record Sentence(int start, int end, Kind kind) {

    enum Kind {
        PROSE,
        HEADING,
        TABLE_ROW,
        CODE
    }

    String of(String text) {
        return text.substring(start, end);
    }
}
