package dev.pollux.retrieval;

/**
 * What to find. <em>Immutable.</em>
 *
 * @param text a question or words; not blank
 * @param topK most hits to return, in [1, 10000]; default 10
 */
public record Query(String text, int topK) {

    /** The number of hits where none is asked for. */
    public static final int DEFAULT_TOP_K = 10;

    public Query {
        if (text.isBlank()) {
            throw new IllegalArgumentException("text must not be blank; ask with at least one word");
        }
        if (topK < 1 || topK > 10_000) {
            throw new IllegalArgumentException("topK must be in [1, 10000] but was " + topK);
        }
    }

    /** A query for the {@value #DEFAULT_TOP_K} best hits. */
    public static Query of(String text) {
        return new Query(text, DEFAULT_TOP_K);
    }

    /** A query for the {@code topK} best hits. */
    public static Query of(String text, int topK) {
        return new Query(text, topK);
    }
}
