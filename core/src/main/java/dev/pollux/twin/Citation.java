package dev.pollux.twin;

import dev.pollux.internal.text.ShortText;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;

/**
 * Where a statement comes from: what {@code [number]} in an answer stands for. <em>Immutable.</em>
 *
 * @param number as in the text, at least 1
 * @param origin the document: its name, and the path under which a reader finds it
 * @param heading the headings above it, outermost first, joined by {@code " > "}; empty where there are none
 * @param location where in the document the quote is
 * @param quote the sentence or block that says it, verbatim but for what no reader sees, such as comments
 * @param text the same to be shown: sentences without line breaks and inline mark-up, list items with their numbers, a
 *     table row with the names of its columns
 * @param date the document's date as its metadata has it, the last change before the first publication; empty where it
 *     has none
 */
public record Citation(
        int number, Origin origin, String heading, Location location, String quote, String text, String date) {

    /** A citation whose quote is shown as it is, of a document without a date. */
    public Citation(int number, Origin origin, String heading, Location location, String quote) {
        this(number, origin, heading, location, quote, quote, "");
    }

    /** The number, the place and the beginning of the quote: {@code [1] boats.md:5 (Boats): "The Argo was rowed by …"}. */
    @Override
    public String toString() {
        return "[" + number + "] " + place() + ": " + ShortText.of(text);
    }

    /** Id of the document. */
    public String document() {
        return origin.document();
    }

    /** The document, the place in it and the headings: {@code boats.md:5-7 (Boats > Argo)}. */
    String place() {
        return location.in(document()) + (heading.isEmpty() ? "" : " (" + heading + ")");
    }
}
