package dev.pollux.retrieval;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Combines retrievers. */
public final class Retrievers {

    /** The constant of reciprocal rank fusion in the paper's experiments. */
    public static final int RRF_K = 60;

    /** The minimum number of hits requested from each arm. */
    private static final int ARM_DEPTH = 100;

    private Retrievers() {}

    /**
     * Reciprocal rank fusion of several retrievers with equal weights and k = {@value #RRF_K}.
     *
     * <p>score(passage) = Σ over arms of 1 / (k + rank), with ranks from 1. Each arm is asked for max(100, topK) hits.
     * Source: Cormack, Clarke and Büttcher, SIGIR 2009.
     */
    public static Retriever fused(Retriever... arms) {
        return fused(RRF_K, List.of(arms));
    }

    /** Reciprocal rank fusion with another constant, at least 1. */
    public static Retriever fused(int k, List<Retriever> arms) {
        if (k < 1) {
            throw new IllegalArgumentException("k must be at least 1 but was " + k);
        }
        List<Retriever> copy = List.copyOf(arms);
        return query -> {
            Query deep = query.withTopK(Math.max(ARM_DEPTH, query.topK()));
            Map<String, Hit> best = new LinkedHashMap<>();
            for (Retriever arm : copy) {
                int rank = 1;
                for (Hit hit : arm.retrieve(deep)) {
                    double share = 1.0 / (k + rank++);
                    best.merge(
                            hit.passage().id(),
                            new Hit(hit.passage(), share),
                            (a, b) -> new Hit(a.passage(), a.score() + b.score()));
                }
            }
            return best.values().stream()
                    .sorted(Comparator.comparingDouble(Hit::score).reversed())
                    .limit(query.topK())
                    .toList();
        };
    }
}
