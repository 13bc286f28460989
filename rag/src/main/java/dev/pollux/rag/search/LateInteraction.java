package dev.pollux.rag.search;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.Chunker;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Reranker;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A reranker that compares the question with each sentence of a text: score = max over sentences of the inner product, in
 * [-1, 1]. It is the maximum similarity of ColBERT (Khattab and Zaharia, SIGIR 2020) over vectors of sentences in place of
 * tokens. It needs no model but the embedder, and embeds every sentence of every text for each question.
 *
 * <p><em>Thread-safe.</em>
 */
public final class LateInteraction implements Reranker {

    private static final int BATCH = 32;
    private static final int SENTENCE_TOKENS = 48;

    private final Embedder embedder;

    private LateInteraction(Embedder embedder) {
        this.embedder = embedder;
    }

    /** A reranker with an embedder, which the caller closes. */
    public static LateInteraction of(Embedder embedder) {
        return new LateInteraction(embedder);
    }

    @Override
    public float[] score(String query, List<String> texts) { // (texts)
        float[] question = embedder.embed(List.of(query), TextRole.QUERY)[0]; // (dimension)
        List<String> sentences = new ArrayList<>();
        List<Integer> owners = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            for (String sentence : sentences(texts.get(i))) {
                sentences.add(sentence);
                owners.add(i);
            }
        }
        float[] scores = new float[texts.size()];
        java.util.Arrays.fill(scores, -1);
        for (int from = 0; from < sentences.size(); from += BATCH) {
            List<String> batch = sentences.subList(from, Math.min(sentences.size(), from + BATCH));
            float[][] rows = embedder.embed(batch, TextRole.PASSAGE); // (batch, dimension)
            for (int i = 0; i < rows.length; i++) {
                int owner = owners.get(from + i);
                scores[owner] = Math.max(scores[owner], dot(question, rows[i]));
            }
        }
        return scores;
    }

    private List<String> sentences(String text) {
        int most = Math.max(16, Math.min(SENTENCE_TOKENS, embedder.info().maxTokens() / 2));
        ChunkOptions options =
                ChunkOptions.builder().targetTokens(most).maxTokens(most).build();
        return text.isBlank()
                ? List.of()
                : Chunker.of(embedder, options).split(new Document("text", "text/plain", text, Map.of())).stream()
                        .map(chunk -> chunk.text(text))
                        .toList();
    }

    private static float dot(float[] a, float[] b) { // (dimension)
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
