package dev.pollux.langchain4j;

import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.retriever.ContentRetriever;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.List;

/** A content retriever as a retriever. <em>As thread-safe as the content retriever.</em> */
record HostedRetriever(ContentRetriever retriever, String name) implements Retriever {

    @Override
    public List<Hit> retrieve(Query query) {
        query.requireUnfiltered(name);
        Interrupts.check();
        long begin = System.nanoTime();
        List<Content> found = retriever.retrieve(dev.langchain4j.rag.query.Query.from(query.text()));
        List<Content> contents = found.subList(0, Math.min(found.size(), query.topK()));
        double[] scores = scores(contents); // (contents)
        List<Hit> hits = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            Content content = contents.get(i);
            Object id = content.metadata().get(ContentMetadata.EMBEDDING_ID);
            String passage = id == null ? name + "#" + (i + 1) : id.toString();
            hits.add(new Hit(Segments.passage(passage, content.textSegment(), name), scores[i]));
        }
        query.trace().add(name, found.size(), hits.size(), begin);
        return hits;
    }

    /** Their scores if all have one and the best comes first; else 1 / rank. */
    private static double[] scores(List<Content> contents) { // (contents)
        double[] scores = new double[contents.size()];
        boolean descending = true;
        for (int i = 0; i < scores.length && descending; i++) {
            Object score = contents.get(i).metadata().get(ContentMetadata.RERANKED_SCORE);
            score = score == null ? contents.get(i).metadata().get(ContentMetadata.SCORE) : score;
            scores[i] = score instanceof Number number ? number.doubleValue() : Double.NaN;
            descending = Double.isFinite(scores[i]) && (i == 0 || scores[i] <= scores[i - 1]);
        }
        for (int i = 0; i < scores.length && !descending; i++) {
            scores[i] = 1.0 / (i + 1);
        }
        return scores;
    }
}
