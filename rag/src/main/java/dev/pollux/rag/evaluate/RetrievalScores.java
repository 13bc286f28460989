package dev.pollux.rag.evaluate;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The scores of a retriever on a collection: means over the queries, each in [0, 1], higher is better. <em>Immutable.</em>
 *
 * @param collection the collection's name
 * @param queries number of queries with a relevant document
 * @param ndcgAt10 {@link RankingMetrics#ndcg} over 10 documents
 * @param recallAt100 {@link RankingMetrics#recall} over 100 documents
 * @param mrrAt10 {@link RankingMetrics#reciprocalRank} over 10 documents
 * @param mapAt100 {@link RankingMetrics#averagePrecision} over 100 documents
 * @param ndcgByQuery nDCG at 10 of each query, by its id
 * @param elapsed wall time of all retrievals
 */
public record RetrievalScores(
        String collection,
        int queries,
        double ndcgAt10,
        double recallAt100,
        double mrrAt10,
        double mapAt100,
        Map<String, Double> ndcgByQuery,
        Duration elapsed) {

    public RetrievalScores {
        ndcgByQuery = Collections.unmodifiableMap(new LinkedHashMap<>(ndcgByQuery));
    }
}
