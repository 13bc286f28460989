package dev.pollux.langchain4j;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.pollux.retrieval.Reranker;
import java.util.List;
import java.util.stream.IntStream;

/** A reranker as a scoring model. <em>Thread-safe.</em> */
record PolluxScoringModel(Reranker reranker) implements ScoringModel {

    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        float[] scores =
                reranker.score(query, segments.stream().map(TextSegment::text).toList()); // (segments)
        return Response.from(IntStream.range(0, scores.length)
                .mapToObj(i -> (double) scores[i])
                .toList());
    }
}
