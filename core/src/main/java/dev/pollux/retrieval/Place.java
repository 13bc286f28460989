package dev.pollux.retrieval;

/**
 * The location in the original of the text from a character on, up to the next place. <em>Immutable.</em>
 *
 * @param start first character, in UTF-16 units from 0
 * @param location the location in the original document, such as a page
 */
public record Place(int start, Location location) {

    public Place {
        if (start < 0) {
            throw new IllegalArgumentException("start must be at least 0 but was " + start);
        }
    }
}
