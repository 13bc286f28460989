package dev.pollux.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.pollux.ModelExecutionException;
import dev.pollux.internal.Interrupts;
import dev.pollux.retrieval.Reranker;
import java.util.List;

/** A scoring model as a reranker. <em>As thread-safe as the model.</em> */
record HostedReranker(ScoringModel model) implements Reranker {

    @Override
    public float[] score(String query, List<String> texts) {
        Interrupts.check();
        if (texts.isEmpty()) {
            return new float[0];
        }
        List<Double> scores = model.scoreAll(
                        texts.stream()
                                .map(text -> TextSegment.from(text.isBlank() ? "." : text)) // a segment has text
                                .toList(),
                        query)
                .content();
        if (scores.size() != texts.size()) {
            throw new ModelExecutionException("The scoring model made " + scores.size() + " scores of " + texts.size()
                    + " texts; it must make one a text");
        }
        float[] found = new float[scores.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = scores.get(i).floatValue();
        }
        return found;
    }
}
