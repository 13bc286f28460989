package dev.pollux.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.langchain4j.model.output.TokenUsage;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** An embedder as an embedding model. <em>Thread-safe.</em> */
record PolluxEmbeddingModel(Embedder embedder, TextRole role) implements EmbeddingModel {

    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        EmbeddingInputType type = request.parameters().inputType();
        TextRole asked = type == null ? role : type == EmbeddingInputType.QUERY ? TextRole.QUERY : TextRole.PASSAGE;
        List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
        float[][] vectors = embedder.embed(texts, asked); // (texts, dimension)
        int tokens = texts.stream().mapToInt(embedder::countTokens).sum();
        return EmbeddingResponse.builder()
                .embeddings(Arrays.stream(vectors).map(Embedding::from).toList())
                .metadata(EmbeddingResponseMetadata.builder()
                        .modelName(modelName())
                        .tokenUsage(new TokenUsage(tokens, 0, tokens))
                        .build())
                .build();
    }

    @Override
    public Set<EmbeddingParameter<?>> supportedParameters() {
        return Set.of(EmbeddingRequestParameters.INPUT_TYPE);
    }

    @Override
    public int dimension() {
        return embedder.info().dimension();
    }

    @Override
    public String modelName() {
        return embedder.info().name();
    }
}
