package dev.pollux.embedding;

import java.util.List;

/**
 * Turns texts into vectors whose inner product is their similarity.
 *
 * <p>A text has the same vector whatever texts stand beside it in a call. <em>Thread-safe.</em>
 */
public interface Embedder extends AutoCloseable {

    /**
     * Embeds texts.
     *
     * @return (texts.size(), dimension), each row of length 1 (L2)
     * @throws IllegalArgumentException if a text is longer than {@link EmbedderInfo#maxTokens()} and the implementation
     *     was not told what to do with it: nothing is cut silently
     * @throws IllegalStateException after {@link #close()}
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end, which it stays
     */
    float[][] embed(List<String> texts, TextRole role); // (texts, dimension)

    /** What this model is and how much it reads. */
    EmbedderInfo info();

    /** The number of tokens of {@code text} as a passage, special tokens and prefix included. */
    int countTokens(String text);

    /** Frees the model. Idempotent. */
    @Override
    void close();
}
