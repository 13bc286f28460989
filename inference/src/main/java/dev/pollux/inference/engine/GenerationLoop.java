package dev.pollux.inference.engine;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.TokenLogProbability;
import dev.pollux.generation.Usage;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.sampling.TokenDistribution;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The decode loop of one request: which tokens the model reads, which token follows, and when the generation ends. <em>Not
 * thread-safe: one thread at a time.</em>
 *
 * <p>The loop neither runs the model nor waits. Its owner runs the model, one turn at a time:
 *
 * <pre>{@code
 * while (loop.result().isEmpty()) {
 *     int[] due = loop.due(sequence.length());
 *     loop.accept(sequence.append(due));
 * }
 * }</pre>
 *
 * <p>With drafts, the due tokens end with {@link #draft(int)}, and {@link #accept} is called for the logits after the last certain
 * token and after each drafted one, for as long as it returns true. Then the sequence goes back to {@link #certain()}.
 */
final class GenerationLoop {

    /*
     * The tokens of a request are the prompt followed by the output. If the model has read n of them, the rest is due: at first
     * the whole prompt, or the part of it that was not found in the pool; later the one token that was chosen last. accept()
     * takes the logits after the last token, chooses a token, and passes it to the text. A turn can therefore be split: an
     * owner of many loops collects the due tokens, reads them in one step, and passes each loop its row.
     *
     * Drafts add tokens to the due ones, and rows to the accepted ones. Each row is drawn with the sampler as if its step were
     * alone, and while the drawn token equals the drafted one, the next row is that of the text. So the output is distributed, and
     * with a seed drawn, as without drafts; only the rounding of the kernels depends on the number of tokens in a step. Where a
     * drafter gives the distribution of its token, the sampler chooses by the rule of acceptance instead.
     *
     * Nothing changes between due() and accept(), so a failed step may be retried: the next call of due() takes into account
     * how much was read.
     *
     * After each token the conditions for the end are tested in this order: an end token, which adds no text; a stop string in
     * the answer; the maximum number of tokens; a full context. The owner may cancel the loop at any other time. Held-back text
     * is emitted at the end and may complete a stop string, which is then the finish reason, unless the generation was
     * cancelled.
     */

    /**
     * A request.
     *
     * @param prompt (prompt), at least one token and fewer than the context length
     * @param endTokens token ids that end a text
     * @param contextLength the maximum number of tokens that the model can read
     * @param load the duration of opening the model, for {@link Usage}
     */
    record Request(int[] prompt, GenerationOptions options, Set<Integer> endTokens, int contextLength, Duration load) {}

    private final Request request;
    private final Sampler sampler;
    private final TextAssembler text;
    private final long begin = System.nanoTime();
    private int[] output = new int[64]; // (count and more)
    private int count;
    private final List<TokenLogProbability> logProbabilities = new ArrayList<>();
    private final Optional<Drafter> drafter;
    private int[] draft = {};
    private int confirmed; // of the draft
    private int cached; // tokens of the prompt
    private int drafted; // tokens, in all drafts that were read
    private int accepted; // of them
    private long firstTokenAt;
    private Optional<Generation> result = Optional.empty();

    /**
     * @param sampler a sampler that has observed no tokens
     * @param drafter a drafter that has seen no tokens; empty to draft none
     */
    GenerationLoop(Request request, Sampler sampler, TextAssembler text, Optional<Drafter> drafter) {
        this.request = request;
        this.sampler = sampler;
        this.text = text;
        this.drafter = drafter;
        sampler.observePrompt(request.prompt());
        drafter.ifPresent(index -> Arrays.stream(request.prompt()).forEach(index::add));
    }

    /** Whether a token was chosen. */
    boolean isWriting() {
        return count > 0;
    }

    /** The number of tokens chosen. */
    int written() {
        return count;
    }

    /** Notes the number of leading tokens of the prompt that need not be computed, for {@link Usage}. */
    void cached(int tokens) {
        cached = tokens;
    }

    /**
     * The tokens that the model must read before the next one can be chosen, without a draft.
     *
     * @param read the number of tokens that the model has read, in [0, prompt + output]
     * @return empty if the model has read all
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
     * Drafts the tokens after the due ones.
     *
     * @param most the largest number of tokens that the model can read beyond the due ones
     * @return empty where none are worth a draft
     */
    int[] draft(int most) {
        int left = request.options().maxTokens() - count - 1; // of which the last is never read
        confirmed = 0;
        draft = count == 0 || drafter.isEmpty() ? new int[0] : drafter.get().draft(Math.min(most, left));
        drafted += draft.length;
        return draft;
    }

    /** The number of tokens that belong to the text and that the model has a use for, except the last one chosen. */
    int certain() {
        return request.prompt().length + Math.max(0, count - 1);
    }

    /**
     * Chooses a token.
     *
     * @param logits (vocabulary), after the last certain token, then after each drafted one
     * @return whether the token equals the drafted one and the text goes on, so the logits after it are due
     * @throws dev.pollux.ModelExecutionException if no token can be chosen; the loop does not change
     * @throws IllegalStateException if the loop has ended
     */
    boolean accept(FloatBuffer logits) {
        requireRunning();
        int token = choose(logits);
        request.options()
                .logProbabilities()
                .ifPresent(top -> logProbabilities.add(sampler.logProbability(logits, token, top)));
        boolean confirms = confirmed < draft.length && draft[confirmed] == token;
        confirmed += confirms ? 1 : 0;
        accepted += confirms ? 1 : 0;
        push(token);
        if (confirms && result.isEmpty()) {
            return true;
        }
        endDraft();
        return false;
    }

    private int choose(FloatBuffer logits) {
        Optional<TokenDistribution> from =
                confirmed < draft.length ? drafter.orElseThrow().distribution(confirmed) : Optional.empty();
        return from.isPresent() ? sampler.next(logits, draft[confirmed], from.get()) : sampler.next(logits);
    }

    private void push(int token) {
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

    private void endDraft() {
        if (draft.length > 0) {
            drafter.orElseThrow().verified(confirmed, draft.length);
            draft = new int[0];
        } else if (count > 1) {
            drafter.ifPresent(Drafter::undrafted);
        }
    }

    /** Whether a step of the due tokens is filled up to an even number, if the rule of even rows holds. */
    boolean pairs() {
        return count == 0 || drafter.isPresent() && drafter.get().pairs();
    }

    /** Ends the loop as cancelled, with the text so far. */
    void cancel() {
        requireRunning();
        end(FinishReason.CANCELLED);
    }

    /** The result; empty until the loop has ended. */
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
        drafter.ifPresent(index -> index.add(token));
    }

    private void end(FinishReason reason) {
        text.end();
        long end = System.nanoTime();
        long first = count == 0 ? end : firstTokenAt;
        Usage usage = new Usage(
                request.prompt().length,
                cached,
                count,
                drafted,
                accepted,
                request.load(),
                Duration.ofNanos(first - begin),
                Duration.ofNanos(end - first));
        FinishReason honest = reason != FinishReason.CANCELLED && text.stopped() ? FinishReason.STOP_STRING : reason;
        result = Optional.of(
                new Generation(text.text(), text.reasoning(), tokens(), honest, usage, List.of(), logProbabilities));
    }

    private List<Integer> tokens() {
        List<Integer> tokens = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            tokens.add(output[i]);
        }
        return tokens;
    }
}
