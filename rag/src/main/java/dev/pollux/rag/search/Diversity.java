package dev.pollux.rag.search;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Maximal marginal relevance: hits that are relevant and differ from each other. The retriever is <em>thread-safe</em> if the given
 * one and the vectors are.
 */
public final class Diversity {

    /*
     * Carbonell and Goldstein, SIGIR 1998. The next hit is the one with the largest
     *
     *   lambda · relevance − (1 − lambda) · max over chosen hits of similarity
     *
     * Relevance is the score, scaled so that the candidates have [0, 1]: scores of fusion and of BM25 have other scales than a
     * similarity. Time is O(topK · depth · dimension).
     */

    private Diversity() {}

    /**
     * A retriever that chooses its hits from the {@code depth} best of another. Hits are in the order in which they were chosen;
     * their scores are those of {@code retriever}, and so need not fall.
     *
     * @param vectors L2-normalised vectors of passages, such as {@code knowledge::vectors} or {@link #embedding}
     * @param lambda weight of relevance, in [0, 1]: 1 changes nothing, 0 looks at differences only; 0.5 to 0.8 are usual
     * @param depth number of candidates, in [1, 10000]; max(depth, topK) are used
     */
    public static Retriever mmr(
            Retriever retriever, Function<List<Passage>, float[][]> vectors, double lambda, int depth) {
        if (!(lambda >= 0 && lambda <= 1)) {
            throw new IllegalArgumentException("lambda must be in [0, 1] but was " + lambda);
        }
        if (depth < 1 || depth > 10_000) {
            throw new IllegalArgumentException("depth must be in [1, 10000] but was " + depth);
        }
        return query -> {
            List<Hit> hits = retriever.retrieve(query.withTopK(Math.max(depth, query.topK())));
            long begin = System.nanoTime();
            float[][] rows = vectors.apply(hits.stream().map(Hit::passage).toList()); // (hits, dimension)
            List<Hit> chosen = chosen(hits, rows, lambda, query.topK());
            query.trace().add("diversify", hits.size(), chosen.size(), begin);
            return chosen;
        };
    }

    /** The vectors of passages by an embedder, which reads their texts anew for each query. */
    public static Function<List<Passage>, float[][]> embedding(Embedder embedder) {
        return passages -> passages.isEmpty()
                ? new float[0][]
                : embedder.embed(passages.stream().map(Passage::text).toList(), TextRole.PASSAGE);
    }

    private static List<Hit> chosen(List<Hit> hits, float[][] rows, double lambda, int k) { // rows: (hits, dimension)
        double most = hits.stream().mapToDouble(Hit::score).max().orElse(0);
        double least = hits.stream().mapToDouble(Hit::score).min().orElse(0);
        double range = most > least ? most - least : 1;
        double[] similarity = new double[hits.size()]; // to the nearest chosen hit
        java.util.Arrays.fill(similarity, -1);
        boolean[] taken = new boolean[hits.size()];
        List<Hit> chosen = new ArrayList<>();
        while (chosen.size() < Math.min(k, hits.size())) {
            int best = -1;
            double value = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < taken.length; i++) {
                double relevance = (hits.get(i).score() - least) / range;
                double penalty = chosen.isEmpty() ? 0 : similarity[i];
                double marginal = lambda * relevance - (1 - lambda) * penalty;
                if (!taken[i] && marginal > value) {
                    best = i;
                    value = marginal;
                }
            }
            taken[best] = true;
            chosen.add(hits.get(best));
            for (int i = 0; i < taken.length; i++) {
                similarity[i] = Math.max(similarity[i], dot(rows[i], rows[best]));
            }
        }
        return chosen;
    }

    private static double dot(float[] a, float[] b) { // (dimension)
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
