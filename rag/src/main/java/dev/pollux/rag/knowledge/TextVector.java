package dev.pollux.rag.knowledge;

import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.Chunker;
import dev.pollux.retrieval.Document;
import java.util.List;
import java.util.Map;

/** The vector of a text of any length. <em>Stateless, thread-safe.</em> */
final class TextVector {

    private TextVector() {}

    /** The vector of a text; for a text longer than the model's limit, the mean of the vectors of its parts. */
    static float[] of(Embedder embedder, String text, TextRole role) { // (dimension)
        EmbedderInfo info = embedder.info();
        List<String> parts = List.of(text);
        if (embedder.countTokens(text) > info.maxTokens()) {
            Document whole = new Document("text", "text/plain", text, Map.of());
            // Half the window leaves room for a prefix that queries may have and passages not.
            ChunkOptions options = ChunkOptions.builder()
                    .targetTokens(Math.max(16, info.maxTokens() / 2))
                    .maxTokens(Math.max(16, info.maxTokens() / 2))
                    .build();
            parts = Chunker.of(embedder, options).split(whole).stream()
                    .map(chunk -> chunk.text(text))
                    .toList();
        }
        float[] mean = new float[info.dimension()]; // (dimension)
        for (float[] vector : embedder.embed(parts, role)) { // (parts, dimension)
            check(vector, info);
            for (int i = 0; i < mean.length; i++) {
                mean[i] += vector[i] / parts.size();
            }
        }
        return mean;
    }

    /** Refuses a vector of another length, or with a value that is not finite. */
    static void check(float[] vector, EmbedderInfo info) { // (dimension)
        if (vector.length != info.dimension()) {
            throw new ModelExecutionException("Embedder " + info.name() + " made a vector of length " + vector.length
                    + " where its dimension is " + info.dimension());
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new ModelExecutionException(
                        "Embedder " + info.name() + " made a vector that holds " + value + "; its model is broken");
            }
        }
    }
}
