package dev.pollux.retrieval;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Finds passages: one function, with decorators.
 *
 * <p>Decorators apply inside out: {@code fused(a, b).reranked(r, 50)} fuses first and reranks the 50 best of the fused
 * list. Each passes on the query that it was given, so that a filter reaches the innermost retriever.
 *
 * <p><em>Thread-safe.</em>
 */
@FunctionalInterface
public interface Retriever {

    /**
     * The best hits, best first, at most {@link Query#topK()}; empty where nothing is relevant.
     *
     * <p>The query's filter holds for every hit, and before the best are chosen: where ten are asked for and ten that the
     * filter allows are relevant, there are ten. A retriever that cannot filter calls {@link Query#requireUnfiltered} first.
     *
     * @throws IllegalArgumentException if the query has a filter and this cannot filter
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end, which it stays
     */
    List<Hit> retrieve(Query query);

    /**
     * This retriever with its {@code depth} best hits scored again.
     *
     * @param depth hits to score, in [1, 10000]; raised to the query's topK where that is larger
     */
    default Retriever reranked(Reranker reranker, int depth) {
        if (depth < 1 || depth > 10_000) {
            throw new IllegalArgumentException("depth must be in [1, 10000] but was " + depth);
        }
        return query -> {
            List<Hit> hits = retrieve(query.withTopK(Math.max(depth, query.topK())));
            float[] scores = reranker.score( // (hits)
                    query.text(), hits.stream().map(hit -> hit.passage().text()).toList());
            return IntStream.range(0, hits.size())
                    .mapToObj(i -> new Hit(hits.get(i).passage(), scores[i]))
                    .sorted(Comparator.comparingDouble(Hit::score).reversed())
                    .limit(query.topK())
                    .toList();
        };
    }

    /** This retriever with a filter that no query can leave: it holds together with the query's own. */
    default Retriever filtered(Filter filter) {
        return query -> retrieve(query.withFilter(filter.and(query.filter())));
    }
}
