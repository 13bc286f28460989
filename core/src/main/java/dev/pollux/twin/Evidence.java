package dev.pollux.twin;

import dev.pollux.internal.text.ShortText;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import java.util.Locale;

/**
 * A sentence or block of the documents that bears on the question. <em>Immutable.</em>
 *
 * @param number its number in the answer, at least 1
 * @param origin the document: its name, and the path under which a reader finds it
 * @param heading the headings above it, outermost first, joined by {@code " > "}; empty where there are none
 * @param location where in the document the quote is
 * @param quote verbatim, as it stands in the document, but for what no reader sees, such as comments
 * @param text the same to be shown; see {@link Citation#text()}
 * @param date the document's date; see {@link Citation#date()}
 * @param score in [0, 1], higher is better: 0.4 times the similarity of its vector to the question's, on the
 *     {@linkplain dev.pollux.embedding.SimilarityScale scale} of the embedder, and 0.6 times the overlap of words; that overlap alone where
 *     the twin has no embedder. The overlap is the share of the question's words that the sentence holds, each word weighted by
 *     its rarity, to four sixths, that which its passage holds to one sixth, and that which all retrieved passages hold to one
 *     sixth
 */
public record Evidence(
        int number,
        Origin origin,
        String heading,
        Location location,
        String quote,
        String text,
        String date,
        double score) {

    /** The number, the score, the place and the beginning of the quote. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "[%d] %.2f %s: %s", number, score, citation().place(), ShortText.of(text));
    }

    /** Id of the document. */
    public String document() {
        return origin.document();
    }

    /** As a citation. */
    public Citation citation() {
        return new Citation(number, origin, heading, location, quote, text, date);
    }
}
