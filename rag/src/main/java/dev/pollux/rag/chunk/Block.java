package dev.pollux.rag.chunk;

import java.util.List;

/**
 * A piece of a document's structure, of whole lines.
 *
 * @param kind what it is
 * @param start first character
 * @param end one past the last character
 * @param path the headings above, outermost first; a heading's own path ends with itself
 */
record Block(Kind kind, int start, int end, List<Heading> path) {

    enum Kind {
        FRONT_MATTER,
        HEADING,
        PROSE,
        LIST,
        LINES
    }

    /** A heading and where it stands. */
    record Heading(int level, String title, int start) {}
}
