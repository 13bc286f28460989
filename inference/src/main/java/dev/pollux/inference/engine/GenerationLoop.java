package dev.pollux.inference.engine;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Usage;
import dev.pollux.inference.sampling.Sampler;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The decode loop of one request: the tokens that the model reads, the token that follows, and the end. <em>Not thread-safe: one
 * thread at a time.</em>
 *
 * <p>The loop runs no model and waits for nothing. Its owner does, one turn at a time:
 *
 * <pre>{@code
 * while (loop.result().isEmpty()) {
 *     int[] due = loop.due(sequence.length());
 *     loop.accept(sequence.append(due));
 * }
 * }</pre>
 */
final class GenerationLoop {

    /*
     * The tokens of a request are prompt and output in one row. A model that has read n of them is due the rest: the whole prompt
     * at first, or as much of it as was not found in the pool; later the one token that was chosen last. accept() takes the
     * logits after the last token read, chooses a token, and hands it to the text. So a turn can be cut in two and its halves
     * left to others: an owner that runs many loops collects what is due, reads it in one step, and gives each loop its row.
     * Drafts are further tokens in what is due, and further rows in what is accepted.
     *
     * Nothing changes between due() and accept(), so a step that fails may be tried again: what it has read until then counts
     * in the next call of due().
     *
     * The end, in the order in which it is looked for after a token: one of the end tokens, which gives no text; a stop string
     * in the answer; the most tokens asked for; a context that has room for no token more. The owner may end the loop at any
     * other time as cancelled. Text that was held back comes out at the end and may complete a stop string, which then is the
     * reason, except of a cancelled generation.
     */

    /**
     * A request.
     *
     * @param prompt (prompt), at least one token and fewer than the context holds
     * @param endTokens token ids that end a text
     * @param contextLength the most tokens that the model can read
     * @param load the time that opening the model took, for {@link Usage}
     */
    record Request(int[] prompt, GenerationOptions options, Set<Integer> endTokens, int contextLength, Duration load) {}

    private final Request request;
    private final Sampler sampler;
    private final TextAssembler text;
    private final long begin = System.nanoTime();
    private int[] output = new int[64]; // (count and more)
    private int count;
    private long firstTokenAt;
    private Optional<Generation> result = Optional.empty();

    /** @param sampler has observed nothing yet */
    GenerationLoop(Request request, Sampler sampler, TextAssembler text) {
        this.request = request;
        this.sampler = sampler;
        this.text = text;
        sampler.observePrompt(request.prompt());
    }

    /**
     * The tokens that the model must read before it can say what follows.
     *
     * @param read the tokens that it has read, in [0, all of prompt and output]
     * @return empty if it has read all
     */
    int[] due(int read) {
        int[] prompt = request.prompt();
        int[] due = new int[prompt.length + count - read];
        int first = Math.max(0, prompt.length - read); // tokens of the prompt that are due
        System.arraycopy(prompt, prompt.length - first, due, 0, first);
        System.arraycopy(output, count - (due.length - first), due, first, due.length - first);
        return due;
    }

    /**
     * Chooses a token.
     *
     * @param logits (vocabulary), after the last of all tokens
     * @throws dev.pollux.ModelExecutionException if no token can be chosen; the loop is as it was
     * @throws IllegalStateException if the loop has ended
     */
    void accept(FloatBuffer logits) {
        requireRunning();
        int token = sampler.next(logits);
        if (count == 0) {
            firstTokenAt = System.nanoTime();
        }
        int read = request.prompt().length + count;
        add(token);
        if (request.endTokens().contains(token)) {
            end(FinishReason.END_OF_TEXT);
            return;
        }
        text.push(token);
        if (text.stopped()) {
            end(FinishReason.STOP_STRING);
        } else if (count == request.options().maxTokens()) {
            end(FinishReason.MAX_TOKENS);
        } else if (read == request.contextLength()) {
            end(FinishReason.CONTEXT_FULL);
        }
    }

    /** Ends the loop with the text so far. */
    void cancel() {
        requireRunning();
        end(FinishReason.CANCELLED);
    }

    /** What was generated; empty until the end. */
    Optional<Generation> result() {
        return result;
    }

    private void requireRunning() {
        if (result.isPresent()) {
            throw new IllegalStateException("The generation has ended; see result()");
        }
    }

    private void add(int token) {
        if (count == output.length) {
            output = Arrays.copyOf(output, count * 2);
        }
        output[count++] = token;
    }

    private void end(FinishReason reason) {
        text.end();
        long end = System.nanoTime();
        long first = count == 0 ? end : firstTokenAt;
        Usage usage = new Usage(
                request.prompt().length,
                count,
                request.load(),
                Duration.ofNanos(first - begin),
                Duration.ofNanos(end - first));
        FinishReason honest = reason != FinishReason.CANCELLED && text.stopped() ? FinishReason.STOP_STRING : reason;
        result = Optional.of(new Generation(text.text(), text.reasoning(), tokens(), honest, usage));
    }

    private List<Integer> tokens() {
        List<Integer> tokens = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            tokens.add(output[i]);
        }
        return tokens;
    }
}
