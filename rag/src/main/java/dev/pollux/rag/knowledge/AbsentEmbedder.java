package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import java.util.List;

/** Stands for the embedder of a knowledge base that was opened without one. */
record AbsentEmbedder(EmbedderInfo info) implements Embedder {

    @Override
    public float[][] embed(List<String> texts, TextRole role) {
        throw absent();
    }

    @Override
    public int countTokens(String text) {
        throw absent();
    }

    private IllegalStateException absent() {
        return new IllegalStateException("The knowledge base was opened without an embedder; open it with "
                + info.name() + " to ingest documents or to find passages by their vectors");
    }

    @Override
    public void close() {
        // Nothing is open.
    }
}
