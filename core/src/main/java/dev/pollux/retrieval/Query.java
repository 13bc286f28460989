package dev.pollux.retrieval;

/**
 * What to find. <em>Immutable.</em>
 *
 * <p>Made by {@link #of} and changed by the {@code with} methods, which keep all else: a retriever that asks another one
 * passes on the query that it was given, changed, and never a new one.
 *
 * @param text a question or words; not blank
 * @param topK most hits to return, in [1, 10000]; default 10
 * @param filter which passages may be found; default {@link Filter#all()}
 */
public record Query(String text, int topK, Filter filter) {

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
        return of(text, DEFAULT_TOP_K);
    }

    /** A query for the {@code topK} best hits. */
    public static Query of(String text, int topK) {
        return new Query(text, topK, Filter.all());
    }

    /** The same for another number of hits. */
    public Query withTopK(int most) {
        return new Query(text, most, filter);
    }

    /** The same under another filter, in place of its own. */
    public Query withFilter(Filter other) {
        return new Query(text, topK, other);
    }

    /** Whether there are passages that it must not find. */
    public boolean isFiltered() {
        return !filter.equals(Filter.all());
    }

    /**
     * For a retriever that cannot filter, to be called first.
     *
     * @param retriever its name
     * @throws IllegalArgumentException if this query is filtered
     */
    public void requireUnfiltered(String retriever) {
        if (isFiltered()) {
            throw new IllegalArgumentException("Retriever " + retriever + " cannot filter but the query has the filter "
                    + filter + "; use a retriever that can, such as a knowledge base's, or ask without a filter");
        }
    }
}
