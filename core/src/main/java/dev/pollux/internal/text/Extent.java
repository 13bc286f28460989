package dev.pollux.internal.text;

/**
 * The part of a text that a block covers.
 *
 * @param start the index of its first character
 * @param end the index after its last character
 * @param firstLine the index of its first line
 * @param endLine the index after its last line
 */
record Extent(int start, int end, int firstLine, int endLine) {

    /** The same lines with other characters. */
    Extent of(int from, int to) {
        return new Extent(from, to, firstLine, endLine);
    }
}
