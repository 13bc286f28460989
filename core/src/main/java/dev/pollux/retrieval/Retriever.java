package dev.pollux.retrieval;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds passages: one function, with decorators.
 *
 * <p>Decorators apply from the inside out: {@code fused(a, b).reranked(r, 50)} fuses first and then reranks the 50 best hits
 * of the fused list. Each decorator passes its query on, so that a filter reaches the innermost retriever.
 *
 * <p><em>Thread-safe.</em>
 */
@FunctionalInterface
public interface Retriever {

    /**
     * Returns at most {@link Query#topK()} hits, best first; empty if nothing is relevant.
     *
     * <p>The filter is applied before the best hits are chosen. If topK is 10 and at least 10 relevant passages pass the
     * filter, the result has 10 hits. A retriever that cannot filter calls {@link Query#requireUnfiltered} first.
     *
     * @throws IllegalArgumentException if the query has a filter and this retriever cannot filter
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end; the interrupt status stays set
     */
    List<Hit> retrieve(Query query);

    /**
     * A retriever that scores the {@code depth} best hits of this one again.
     *
     * @param depth number of hits to score, in [1, 10000]; max(depth, topK) are scored
     */
    default Retriever reranked(Reranker reranker, int depth) {
        if (depth < 1 || depth > 10_000) {
            throw new IllegalArgumentException("depth must be in [1, 10000] but was " + depth);
        }
        return query -> {
            List<Hit> hits = retrieve(query.withTopK(Math.max(depth, query.topK())));
            long begin = System.nanoTime();
            float[] scores = reranker.score( // (hits)
                    query.text(), hits.stream().map(hit -> hit.passage().text()).toList());
            List<Hit> best = IntStream.range(0, hits.size())
                    .mapToObj(i -> new Hit(hits.get(i).passage(), scores[i]))
                    .sorted(Comparator.comparingDouble(Hit::score).reversed())
                    .limit(query.topK())
                    .toList();
            query.trace().add("rerank", hits.size(), best.size(), begin);
            return best;
        };
    }

    /** A retriever that applies a fixed filter to every query: hits satisfy both this filter and the query's own. */
    default Retriever filtered(Filter filter) {
        return query -> retrieve(query.withFilter(filter.and(query.filter())));
    }
}
