package dev.pollux.rag.knowledge;

import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.retrieval.Retrievers;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The fusion of {@link Retrievers#fused} on ids. Only the passages of the result are read from the index; reading the others
 * would dominate the time of a query.
 */
final class Fusion {

    /** Minimum number of hits requested from each arm. */
    static final int ARM_DEPTH = 100;

    private Fusion() {}

    /**
     * The {@code k} best ids by Σ over arms of weight / ({@value Retrievers#RRF_K} + rank); each arm is sorted best first.
     *
     * @param weights (arms)
     */
    static List<Scored> fuse(List<List<Scored>> arms, double[] weights, int k) {
        Map<Integer, Double> scores = new LinkedHashMap<>();
        for (int arm = 0; arm < arms.size(); arm++) {
            int rank = 1;
            for (Scored hit : arms.get(arm)) {
                scores.merge(hit.id(), weights[arm] / (Retrievers.RRF_K + rank++), Double::sum);
            }
        }
        return scores.entrySet().stream()
                .map(entry -> new Scored(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingDouble(Scored::score).reversed())
                .limit(k)
                .toList();
    }
}
