package dev.pollux.generation;

import java.util.Iterator;
import java.util.List;

/**
 * A generation in progress, pulled by its reader: the next token is computed when the next delta is asked for.
 *
 * <p>The iterator gives the answer: its deltas joined are {@link Generation#text()}. {@link #deltas()} gives the reasoning of
 * a model too. A delta is never empty, never cuts a character, and holds back text that may turn out to be the beginning of
 * a stop string or of a marker.
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
 * <p>An interrupt of the reading thread ends what it asked for, within a token, with {@link dev.pollux.CancelledException};
 * the thread stays interrupted. The stream is as it was before: it goes on where it was, once the interrupt is cleared, or is
 * closed. A stream that was cancelled by {@link #cancel()} gives its text to an interrupted thread, too.
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 */
public interface GenerationStream extends Iterable<String>, AutoCloseable {

    /** The one iterator over the answer; every call returns the same. It passes over reasoning. */
    @Override
    Iterator<String> iterator();

    /**
     * What is written, text with the channel it is written in, and tool calls, in its order; every call goes on where the last one, or {@link
     * #iterator()}, stopped. The deltas of a channel joined are {@link Generation#reasoning()} and {@link
     * Generation#text()}, and its {@link Delta.Call}s are {@link Generation#calls()}.
     *
     * <pre>{@code
     * for (Iterator<Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
     *     Delta delta = deltas.next();
     *     thoughts.append(delta.text(Channel.REASONING));
     *     view.append(delta.text(Channel.ANSWER));
     * }
     * }</pre>
     *
     * <p>This default is for generators that neither reason nor call: all of it is the answer.
     */
    default Iterator<Delta> deltas() {
        Iterator<String> answer = iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return answer.hasNext();
            }

            @Override
            public Delta next() {
                return Delta.of(Channel.ANSWER, answer.next());
            }
        };
    }

    /**
     * The messages of the prompt that were left out because it did not fit the model's context, in their order; empty by
     * default, and for generators that refuse such a prompt.
     */
    default List<Message> dropped() {
        return List.of();
    }

    /** Ends the generation at the next token, from any thread. It is not an error: the text so far is the result. */
    void cancel();

    /**
     * The result after the last delta; called earlier, it generates the rest first.
     *
     * @throws IllegalStateException if the stream was closed before its end
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end
     */
    Generation result();

    /** Frees what the stream holds; cancels it if it has not ended. Idempotent. */
    @Override
    void close();
}
