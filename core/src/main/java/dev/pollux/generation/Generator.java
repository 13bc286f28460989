package dev.pollux.generation;

/**
 * A language model that continues a prompt, in this process or elsewhere.
 *
 * <p>Whoever opens a generator closes it. <em>Thread-safe</em>: implementations accept concurrent streams, which may
 * wait for one another.
 */
public interface Generator extends AutoCloseable {

    /**
     * Starts a generation.
     *
     * @throws IllegalArgumentException if the prompt does not fit the model's context
     * @throws IllegalStateException after {@link #close()}
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    GenerationStream stream(Prompt prompt, GenerationOptions options);

    /** What this model is and how much it reads. */
    GeneratorInfo info();

    /** The number of tokens {@code prompt} takes, as {@link Usage#promptTokens()} would count it. */
    int countTokens(Prompt prompt);

    /**
     * Generates to the end.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end, which it stays
     */
    default Generation generate(Prompt prompt, GenerationOptions options) {
        try (GenerationStream stream = stream(prompt, options)) {
            return stream.result();
        }
    }

    /** Generates to the end with {@link GenerationOptions#DEFAULTS}. */
    default Generation generate(Prompt prompt) {
        return generate(prompt, GenerationOptions.DEFAULTS);
    }

    /** Frees the model; streams still open end as cancelled. Idempotent. */
    @Override
    void close();
}
