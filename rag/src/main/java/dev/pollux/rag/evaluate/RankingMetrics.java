package dev.pollux.rag.evaluate;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Metrics of one ranking against relevance judgements, computed as in trec_eval.
 *
 * <p>A ranking is a list of document ids, best first; a repeated id counts at its first rank only. Judgements map ids to
 * grades; a document is relevant if its grade is above 0. An id without a judgement is not relevant. If no document is
 * relevant, every metric is 0. <em>Thread-safe.</em>
 */
public final class RankingMetrics {

    private RankingMetrics() {}

    /**
     * Normalised discounted cumulative gain, in [0, 1]: DCG / DCG of the ideal ranking, with DCG = Σ grade / log2(rank + 1)
     * over the first {@code k} ranks. Source: Järvelin and Kekäläinen, TOIS 2002, with the discount of trec_eval.
     */
    public static double ndcg(List<String> ranking, Map<String, Integer> judgements, int k) {
        checkDepth(k);
        double ideal = 0;
        List<Integer> best = judgements.values().stream()
                .filter(grade -> grade > 0)
                .sorted((a, b) -> b - a)
                .limit(k)
                .toList();
        for (int i = 0; i < best.size(); i++) {
            ideal += best.get(i) / log2(i + 2);
        }
        double gain = 0;
        List<String> top = distinct(ranking, k);
        for (int i = 0; i < top.size(); i++) {
            gain += grade(judgements, top.get(i)) / log2(i + 2);
        }
        return ideal == 0 ? 0 : gain / ideal;
    }

    /** Recall, in [0, 1]: relevant documents in the first {@code k} / all relevant documents. */
    public static double recall(List<String> ranking, Map<String, Integer> judgements, int k) {
        checkDepth(k);
        long relevant = relevant(judgements);
        return relevant == 0 ? 0 : (double) found(ranking, judgements, k) / relevant;
    }

    /** Precision, in [0, 1]: relevant documents in the first {@code k} / {@code k}, also for a shorter ranking. */
    public static double precision(List<String> ranking, Map<String, Integer> judgements, int k) {
        checkDepth(k);
        return (double) found(ranking, judgements, k) / k;
    }

    /** 1 / rank of the first relevant document in the first {@code k}, in [0, 1]; 0 if there is none. */
    public static double reciprocalRank(List<String> ranking, Map<String, Integer> judgements, int k) {
        checkDepth(k);
        List<String> top = distinct(ranking, k);
        return IntStream.range(0, top.size())
                .filter(i -> grade(judgements, top.get(i)) > 0)
                .mapToDouble(i -> 1.0 / (i + 1))
                .findFirst()
                .orElse(0);
    }

    /**
     * Average precision, in [0, 1]: the mean over the relevant documents of the precision at their rank, which is 0 beyond
     * rank {@code k}.
     */
    public static double averagePrecision(List<String> ranking, Map<String, Integer> judgements, int k) {
        checkDepth(k);
        List<String> top = distinct(ranking, k);
        double sum = 0;
        int hits = 0;
        for (int i = 0; i < top.size(); i++) {
            if (grade(judgements, top.get(i)) > 0) {
                hits++;
                sum += (double) hits / (i + 1);
            }
        }
        long relevant = relevant(judgements);
        return relevant == 0 ? 0 : sum / relevant;
    }

    private static void checkDepth(int k) {
        if (k < 1) {
            throw new IllegalArgumentException("k must be at least 1 but was " + k);
        }
    }

    private static List<String> distinct(List<String> ranking, int k) {
        Set<String> seen = new HashSet<>();
        return ranking.stream().filter(seen::add).limit(k).toList();
    }

    private static long found(List<String> ranking, Map<String, Integer> judgements, int k) {
        return distinct(ranking, k).stream()
                .filter(id -> grade(judgements, id) > 0)
                .count();
    }

    private static long relevant(Map<String, Integer> judgements) {
        return judgements.values().stream().filter(grade -> grade > 0).count();
    }

    private static int grade(Map<String, Integer> judgements, String id) {
        return Math.max(0, judgements.getOrDefault(id, 0));
    }

    private static double log2(int n) {
        return Math.log(n) / Math.log(2);
    }
}
