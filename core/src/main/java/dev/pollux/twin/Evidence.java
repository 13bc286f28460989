package dev.pollux.twin;

import dev.pollux.internal.text.ShortText;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import java.util.Locale;

/**
 * A sentence or block of the documents that is relevant to the question. <em>Immutable.</em>
 *
 * <pre>
 * score   = 0.4 scaled(cosine(question, sentence)) + 0.6 overlap     with an embedder
 * score   = overlap                                                  without
 * overlap = 4/6 share(sentence) + 1/6 share(its passage) + 1/6 share(all retrieved passages)
 * </pre>
 *
 * <p>{@code scaled} applies the embedder's {@linkplain dev.pollux.embedding.SimilarityScale scale}. {@code share(x)} is the
 * share of the question's words that x contains, each word weighted by its rarity.
 *
 * @param number its number in the answer, at least 1
 * @param origin name and path of the document
 * @param heading the headings above the quote, outermost first, joined by {@code " > "}; empty if there are none
 * @param location the quote's position in the document
 * @param quote verbatim except for invisible text such as comments
 * @param text the quote for display; see {@link Citation#text()}
 * @param date the document's date; see {@link Citation#date()}
 * @param score the relevance in [0, 1]; higher is better
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

    /** Returns number, score, place and beginning of the quote. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "[%d] %.2f %s: %s", number, score, citation().place(), ShortText.of(text));
    }

    /** Returns the id of the document. */
    public String document() {
        return origin.document();
    }

    /** Returns this evidence as a citation. */
    public Citation citation() {
        return new Citation(number, origin, heading, location, quote, text, date);
    }
}
