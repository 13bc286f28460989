package dev.pollux.twin;

import dev.pollux.internal.text.ShortText;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;

/**
 * The source of a statement: the target of {@code [number]} in an answer. <em>Immutable.</em>
 *
 * @param number the number in the text, at least 1
 * @param origin name and path of the document
 * @param heading the headings above the quote, outermost first, joined by {@code " > "}; empty if there are none
 * @param location the quote's position in the document
 * @param quote the supporting sentence or block, verbatim except for invisible text such as comments
 * @param text the quote for display: sentences without line breaks and inline mark-up, list items with their numbers, table
 *     rows with the column names
 * @param date the document's date from its metadata; the last change takes precedence over the first publication; empty if
 *     there is none
 */
public record Citation(
        int number, Origin origin, String heading, Location location, String quote, String text, String date) {

    /** Creates a citation of a document without a date, whose quote is displayed verbatim. */
    public Citation(int number, Origin origin, String heading, Location location, String quote) {
        this(number, origin, heading, location, quote, quote, "");
    }

    /** Returns number, place and beginning of the quote: {@code [1] boats.md:5 (Boats): "The Argo was rowed by …"}. */
    @Override
    public String toString() {
        return "[" + number + "] " + place() + ": " + ShortText.of(text);
    }

    /** Returns the id of the document. */
    public String document() {
        return origin.document();
    }

    /** The document, the place in it and the headings: {@code boats.md:5-7 (Boats > Argo)}. */
    String place() {
        return location.in(document()) + (heading.isEmpty() ? "" : " (" + heading + ")");
    }
}
