package dev.pollux.benchmarks;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.evaluate.RetrievalCollection;
import dev.pollux.rag.evaluate.RetrievalEvaluation;
import dev.pollux.rag.evaluate.RetrievalScores;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Retriever;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Retrieval quality with the bundled embedding model on collections in BEIR layout: BM25, dense and hybrid.
 *
 * <p>Arguments: a folder for the knowledge bases, which a second run finds filled, then the folders of the collections.
 */
public final class RetrievalQuality {

    private RetrievalQuality() {}

    /** Runs it. */
    public static void main(String[] args) {
        if (args.length < 2) {
            throw new IllegalArgumentException("usage: RetrievalQuality <work folder> <BEIR folder>...");
        }
        System.out.printf(
                "%-16s %-8s %8s %8s %8s %8s %8s%n", "set", "arm", "nDCG@10", "R@100", "MRR@10", "MAP", "ms/query");
        try (Embedder embedder = OnnxEmbedder.bundled()) {
            for (String folder : List.of(args).subList(1, args.length)) {
                measure(Path.of(args[0]), RetrievalCollection.beir(Path.of(folder)), embedder);
            }
        }
    }

    private static void measure(Path work, RetrievalCollection collection, Embedder embedder) {
        try (KnowledgeBase knowledge = KnowledgeBase.open(work.resolve(collection.name()), embedder)) {
            Job<IngestReport> ingest = knowledge.ingest(DocumentSource.of(collection.name(), collection.documents()));
            ingest.onEvent(event -> {
                if (event instanceof JobEvent.Progress progress
                        && progress.stage().equals("commit")) {
                    System.err.println(collection.name() + ": " + progress.done() + " documents committed");
                }
            });
            IngestReport report = ingest.run();
            System.err.printf(
                    Locale.ROOT,
                    "%s: %d documents, %d passages, %d embedded in %.1f s; %s%n",
                    collection.name(),
                    collection.documents().size(),
                    report.passages(),
                    report.embedded(),
                    report.elapsed().toMillis() / 1000.0,
                    knowledge.stats());
            Map<String, Retriever> arms = new LinkedHashMap<>();
            arms.put("lexical", knowledge.lexicalRetriever());
            arms.put("dense", knowledge.denseRetriever());
            arms.put("hybrid", knowledge.retriever());
            RetrievalEvaluation evaluation = RetrievalEvaluation.on(collection);
            arms.forEach((name, arm) -> print(name, evaluation.evaluate(arm).run()));
        }
    }

    private static void print(String arm, RetrievalScores scores) {
        System.out.printf(
                Locale.ROOT,
                "%-16s %-8s %8.4f %8.4f %8.4f %8.4f %8.2f%n",
                scores.collection(),
                arm,
                scores.ndcgAt10(),
                scores.recallAt100(),
                scores.mrrAt10(),
                scores.mapAt100(),
                scores.elapsed().toNanos() / 1e6 / scores.queries());
    }
}
