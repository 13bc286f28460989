package dev.pollux.springai;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;

/** An embedder as an embedding model. <em>Thread-safe.</em> */
record PolluxEmbeddingModel(Embedder embedder) implements EmbeddingModel {

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        checkSupported(request.getOptions());
        List<String> texts = request.getInstructions();
        float[][] vectors = embedder.embed(texts, TextRole.PASSAGE); // (texts, dimension)
        List<Embedding> embeddings = new ArrayList<>();
        for (float[] vector : vectors) {
            embeddings.add(new Embedding(vector, embeddings.size()));
        }
        int tokens = texts.stream().mapToInt(embedder::countTokens).sum();
        return new EmbeddingResponse(
                embeddings, new EmbeddingResponseMetadata(embedder.info().name(), new DefaultUsage(tokens, 0)));
    }

    private void checkSupported(@Nullable EmbeddingOptions options) {
        if (options == null) {
            return;
        }
        if (options.getModel() != null
                && !options.getModel().equals(embedder.info().name())) {
            throw new IllegalArgumentException("The model must be "
                    + embedder.info().name() + " but was " + options.getModel() + "; open an embedder for each model");
        }
        if (options.getDimensions() != null && options.getDimensions() != dimensions()) {
            throw new IllegalArgumentException("dimensions must be " + dimensions() + ", those of "
                    + embedder.info().name() + ", but was " + options.getDimensions());
        }
    }

    @Override
    public float[] embed(String text) {
        return embedder.embed(List.of(text), TextRole.QUERY)[0];
    }

    @Override
    public float[] embed(Document document) {
        return embedder.embed(List.of(Objects.requireNonNullElse(getEmbeddingContent(document), "")), TextRole.PASSAGE)[
                0];
    }

    @Override
    public int dimensions() {
        return embedder.info().dimension();
    }
}
