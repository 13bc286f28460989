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
     * @throws IllegalArgumentException if the prompt does not fit the model's context, or offers tools or shows calls to a
     *     model that has no place for them
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

    /** Generates to the end with {@link GenerationOptions#DEFAULTS}: greedily, whatever the model's own sampling is. */
    default Generation generate(Prompt prompt) {
        return generate(prompt, GenerationOptions.DEFAULTS);
    }

    /**
     * Starts the answer to what a user says, with {@link GeneratorInfo#sampling()}; a model that does not chat goes on with it.
     *
     * <pre>{@code
     * try (GenerationStream stream = generator.stream("Write a haiku about twins.")) {
     *     stream.forEach(view::append);
     * }
     * }</pre>
     *
     * <p>No part of the message becomes a control token. The stream is the caller's to close.
     *
     * @throws IllegalArgumentException if the message does not fit the model's context
     */
    default GenerationStream stream(String message) {
        GeneratorInfo info = info();
        Prompt prompt = info.chat() ? Prompt.chat(Message.user(message)) : Prompt.literal(message);
        return stream(prompt, info.sampling());
    }

    /**
     * Answers what a user says, as {@link #stream(String)} does, to the end.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end, which it stays
     */
    default Generation generate(String message) {
        try (GenerationStream stream = stream(message)) {
            return stream.result();
        }
    }

    /** Frees the model; streams still open end as cancelled. Idempotent. */
    @Override
    void close();
}
