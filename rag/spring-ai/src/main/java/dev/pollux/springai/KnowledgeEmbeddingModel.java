package dev.pollux.springai;

import dev.pollux.embedding.TextRole;
import dev.pollux.rag.knowledge.KnowledgeBase;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;

/** The embedder of a knowledge base as an embedding model. <em>Thread-safe.</em> */
record KnowledgeEmbeddingModel(KnowledgeBase knowledge) implements EmbeddingModel {

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        List<Embedding> embeddings = new ArrayList<>();
        for (float[] vector : knowledge.vectors().of(request.getInstructions(), TextRole.PASSAGE)) {
            embeddings.add(new Embedding(vector, embeddings.size()));
        }
        return new EmbeddingResponse(embeddings);
    }

    @Override
    public float[] embed(Document document) {
        return knowledge.vectors()
                .of(List.of(Objects.requireNonNullElse(getEmbeddingContent(document), "")), TextRole.PASSAGE)[0];
    }

    @Override
    public int dimensions() {
        return knowledge.vectors().embedder().dimension();
    }
}
