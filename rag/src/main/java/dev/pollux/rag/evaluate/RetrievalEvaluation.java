package dev.pollux.rag.evaluate;

import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures retrievers on a collection that they have indexed.
 *
 * <p>The rank of a document is that of its best passage. A retriever is asked for {@value #PASSAGES} passages. These contain
 * the 100 documents that the metrics need, unless documents have many passages. <em>Thread-safe.</em>
 */
public final class RetrievalEvaluation {

    /** Number of passages requested. */
    public static final int PASSAGES = 300;

    private final RetrievalCollection collection;

    private RetrievalEvaluation(RetrievalCollection collection) {
        this.collection = collection;
    }

    /** An evaluation on {@code collection}. */
    public static RetrievalEvaluation on(RetrievalCollection collection) {
        return new RetrievalEvaluation(collection);
    }

    /** A job that runs every query with a relevant document. Events: {@code evaluate} in queries. */
    public Job<RetrievalScores> evaluate(Retriever retriever) {
        return Job.of("evaluate", job -> evaluate(retriever, job));
    }

    private RetrievalScores evaluate(Retriever retriever, JobContext job) {
        Map<String, Double> ndcg = new LinkedHashMap<>();
        double[] sums = new double[4]; // nDCG, recall, reciprocal rank, average precision
        long nanos = 0;
        for (Map.Entry<String, String> query : collection.queries().entrySet()) {
            Map<String, Integer> judged = collection.judgements().getOrDefault(query.getKey(), Map.of());
            if (judged.values().stream().noneMatch(grade -> grade > 0)) {
                continue;
            }
            job.checkCancelled();
            long begin = System.nanoTime();
            List<String> ranking = retriever.retrieve(Query.of(query.getValue(), PASSAGES)).stream()
                    .map(hit -> hit.passage().document())
                    .distinct()
                    .toList();
            nanos += System.nanoTime() - begin;
            double gain = RankingMetrics.ndcg(ranking, judged, 10);
            ndcg.put(query.getKey(), gain);
            sums[0] += gain;
            sums[1] += RankingMetrics.recall(ranking, judged, 100);
            sums[2] += RankingMetrics.reciprocalRank(ranking, judged, 10);
            sums[3] += RankingMetrics.averagePrecision(ranking, judged, 100);
            job.progress("evaluate", ndcg.size(), collection.queries().size(), "queries");
        }
        int n = Math.max(1, ndcg.size());
        return new RetrievalScores(
                collection.name(),
                ndcg.size(),
                sums[0] / n,
                sums[1] / n,
                sums[2] / n,
                sums[3] / n,
                ndcg,
                Duration.ofNanos(nanos));
    }
}
