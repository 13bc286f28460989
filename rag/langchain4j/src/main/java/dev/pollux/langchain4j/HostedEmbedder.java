package dev.pollux.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.TokenEstimate;
import java.util.List;

/** An embedding model as an embedder. <em>Thread-safe.</em> */
final class HostedEmbedder implements Embedder {

    private final EmbeddingModel model;
    private final EmbedderInfo info;
    private volatile boolean closed;

    HostedEmbedder(EmbeddingModel model, EmbedderInfo info) {
        this.model = model;
        this.info = info;
    }

    @Override
    public float[][] embed(List<String> texts, TextRole role) {
        if (closed) {
            throw new IllegalStateException("The embedder is closed; make another");
        }
        Interrupts.check();
        if (texts.isEmpty()) {
            return new float[0][];
        }
        for (String text : texts) {
            int tokens = countTokens(text);
            if (tokens > info.maxTokens()) {
                throw new IllegalArgumentException("A text must have at most " + info.maxTokens()
                        + " tokens for embedder " + info.name() + " but has about " + tokens + "; split it");
            }
        }
        EmbeddingRequest.Builder request = EmbeddingRequest.builder()
                .textSegments(texts.stream()
                        .map(text -> TextSegment.from(text.isBlank() ? "." : text)) // a segment has text
                        .toList());
        if (model.supportedParameters().contains(EmbeddingRequestParameters.INPUT_TYPE)) {
            request.parameters(EmbeddingRequestParameters.builder()
                    .inputType(role == TextRole.QUERY ? EmbeddingInputType.QUERY : EmbeddingInputType.DOCUMENT)
                    .build());
        }
        List<Embedding> embeddings = model.embed(request.build()).embeddings();
        if (embeddings.size() != texts.size()) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made " + embeddings.size()
                    + " vectors of " + texts.size() + " texts; it must make one a text");
        }
        return embeddings.stream().map(this::unit).toArray(float[][]::new);
    }

    private float[] unit(Embedding embedding) { // (dimension)
        float[] vector = embedding.vector().clone();
        if (vector.length != info.dimension()) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made a vector of length "
                    + vector.length + " but its info says " + info.dimension() + "; correct the dimension");
        }
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = Math.sqrt(squares);
        if (!(length > 0 && length < Double.POSITIVE_INFINITY)) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made a vector of length " + length
                    + "; it must be finite and not zero");
        }
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] / length);
        }
        return vector;
    }

    @Override
    public EmbedderInfo info() {
        return info;
    }

    @Override
    public int countTokens(String text) {
        return TokenEstimate.of(text);
    }

    @Override
    public void close() {
        closed = true; // the model is the host's
    }
}
