package dev.pollux.retrieval;

/**
 * A search request. <em>Immutable.</em>
 *
 * <p>A query is created by {@link #of}. Each {@code with} method returns a copy that differs in one property. A retriever
 * that delegates to another derives its query from the one it received by these methods; it never creates a new one, so no
 * property is lost.
 *
 * @param text a question or words; not blank
 * @param topK maximum number of hits, in [1, 10000]; default 10
 * @param filter condition that every hit satisfies; default {@link Filter#all()}
 * @param trace records the stages of the retrieval; default {@link Trace#NONE}
 */
public record Query(String text, int topK, Filter filter, Trace trace) {

    /** The default number of hits. */
    public static final int DEFAULT_TOP_K = 10;

    /** A query without a trace. */
    public Query(String text, int topK, Filter filter) {
        this(text, topK, filter, Trace.NONE);
    }

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

    /** A copy with another number of hits. */
    public Query withTopK(int most) {
        return new Query(text, most, filter, trace);
    }

    /** A copy whose filter is replaced. */
    public Query withFilter(Filter other) {
        return new Query(text, topK, other, trace);
    }

    /** A copy with another text, such as a reworded question. */
    public Query withText(String other) {
        return new Query(other, topK, filter, trace);
    }

    /** A copy that records its stages. */
    public Query withTrace(Trace other) {
        return new Query(text, topK, filter, other);
    }

    /** Whether the filter excludes any passage. */
    public boolean isFiltered() {
        return !filter.equals(Filter.all());
    }

    /**
     * Rejects a filtered query. A retriever that cannot filter calls this method first.
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
