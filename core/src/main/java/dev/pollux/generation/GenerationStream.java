package dev.pollux.generation;

import java.util.Iterator;

/**
 * A generation in progress, pulled by its reader: the next token is computed when the next delta is asked for.
 *
 * <p>Deltas joined give {@link Generation#text()}. A delta is never empty, never cuts a character, and holds back text
 * that may turn out to be the beginning of a stop string.
 *
 * <pre>{@code
 * try (GenerationStream stream = generator.stream(prompt, options)) {
 *     for (String delta : stream) {
 *         view.append(delta);
 *     }
 *     Usage usage = stream.result().usage();
 * }
 * }</pre>
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 */
public interface GenerationStream extends Iterable<String>, AutoCloseable {

    /** The one iterator of this stream; every call returns the same. */
    @Override
    Iterator<String> iterator();

    /** Ends the generation at the next token, from any thread. It is not an error: the text so far is the result. */
    void cancel();

    /**
     * The result after the last delta; called earlier, it generates the rest first.
     *
     * @throws IllegalStateException if the stream was closed before its end
     */
    Generation result();

    /** Frees what the stream holds; cancels it if it has not ended. Idempotent. */
    @Override
    void close();
}
