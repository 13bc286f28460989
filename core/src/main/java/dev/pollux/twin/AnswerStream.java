package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Usage;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An answer in progress, pulled by its reader: {@link #evidence()} is there from the beginning, the text follows.
 *
 * <p>What is streamed while the model writes is its <em>draft</em>: each {@code [n]} in it is the number of a passage it
 * was given, which is that of the passage's best evidence where it has some; numbers it was not given are taken out. The
 * draft is checked when it is complete, so {@link #result()} can hold less, cite closer, or quote instead. Where the
 * model is not asked the deltas are the text of the result.
 *
 * <pre>{@code
 * try (AnswerStream stream = twin.stream("How do I merge two models?")) {
 *     view.show(stream.evidence());
 *     for (String delta : stream) {
 *         view.draft(delta);
 *     }
 *     view.replaceDraft(stream.result());
 * }
 * }</pre>
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 */
public final class AnswerStream implements Iterable<String>, AutoCloseable {

    /** A text that rests mostly on passages without evidence answers another question. */
    private static final double MIN_RELEVANCE = 0.5;

    private final Inquiry inquiry;
    private final TwinOptions options;
    private final Supplier<Grounding> grounding;
    private final @Nullable Supplier<GenerationStream> model;
    private final Consumer<Answer> onResult;
    private final Deltas deltas = new Deltas();

    private volatile @Nullable GenerationStream running;
    private volatile boolean cancelled;
    private boolean closed;
    private @Nullable Answer result;

    /**
     * @param grounding makes the check of what the model writes
     * @param model starts the model; null where it is not asked
     * @param onResult is told the result once
     */
    AnswerStream(
            Inquiry inquiry,
            TwinOptions options,
            Supplier<Grounding> grounding,
            @Nullable Supplier<GenerationStream> model,
            Consumer<Answer> onResult) {
        this.inquiry = inquiry;
        this.options = options;
        this.grounding = grounding;
        this.model = model;
        this.onResult = onResult;
    }

    /** The sentences of the documents that bear best on the question, best first; empty where nothing is relevant. */
    public List<Evidence> evidence() {
        return inquiry.evidence();
    }

    /** What of the retrieved passages the model is given. */
    public Packing packing() {
        return inquiry.packing();
    }

    /** The one iterator of this stream; every call returns the same. No delta is empty. */
    @Override
    public Iterator<String> iterator() {
        return deltas;
    }

    /**
     * Ends the writing at the next token, from any thread. It is not an error: what was written so far is checked, and the
     * evidence is there in any case.
     */
    public void cancel() {
        cancelled = true;
        GenerationStream stream = running;
        if (stream != null) {
            stream.cancel();
        }
    }

    /**
     * The answer after the last delta; called earlier, it lets the model write the rest first.
     *
     * @throws IllegalStateException if the stream was closed before its end
     */
    public Answer result() {
        Answer answer = result;
        if (answer != null) {
            return answer;
        }
        if (closed) {
            throw new IllegalStateException("The answer was closed before its end; ask for the result first");
        }
        answer = inquiry.found().isEmpty() ? unknown() : model == null ? quoted() : written();
        result = answer;
        release();
        onResult.accept(answer);
        return answer;
    }

    /** Frees what the stream holds; cancels the writing if it has not ended. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    private Answer unknown() {
        return answer(
                Answer.Kind.UNKNOWN,
                inquiry.finding().unknownText(options.unknownText()),
                inquiry.finding().citations(),
                List.of(),
                1,
                Optional.empty(),
                Usage.NONE);
    }

    private Answer quoted() {
        return quoted(List.of(), 1, Optional.empty(), Usage.NONE);
    }

    private Answer quoted(
            List<DroppedSentence> dropped, double groundedness, Optional<FinishReason> finish, Usage usage) {
        List<Citation> citations = evidence().stream().map(Evidence::citation).toList();
        String text = String.join("", inquiry.quotes());
        return answer(Answer.Kind.QUOTED, text, citations, dropped, groundedness, finish, usage);
    }

    private Answer written() {
        if (cancelled && running == null) {
            return quoted(List.of(), 1, Optional.of(FinishReason.CANCELLED), Usage.NONE);
        }
        Generation generation = started().result();
        Optional<FinishReason> finish = Optional.of(generation.finish());
        boolean finished =
                generation.finish() == FinishReason.END_OF_TEXT || generation.finish() == FinishReason.STOP_STRING;
        Draft.Checked draft =
                new Draft(grounding.get(), inquiry.found(), inquiry.packed()).check(generation.text(), finished);
        if (draft.text().isEmpty()
                || draft.groundedness() < options.minGroundedness()
                || draft.relevance() < MIN_RELEVANCE) {
            return quoted(draft.dropped(), draft.groundedness(), finish, generation.usage());
        }
        return answer(
                Answer.Kind.WRITTEN,
                draft.text(),
                draft.citations(),
                draft.dropped(),
                draft.groundedness(),
                finish,
                generation.usage());
    }

    private Answer answer(
            Answer.Kind kind,
            String text,
            List<Citation> citations,
            List<DroppedSentence> dropped,
            double groundedness,
            Optional<FinishReason> finish,
            Usage usage) {
        return new Answer(
                kind,
                text,
                citations,
                evidence(),
                dropped,
                groundedness,
                inquiry.packing(),
                finish,
                usage,
                inquiry.finding().notices());
    }

    private GenerationStream started() {
        GenerationStream stream = running;
        if (stream == null) {
            stream = Objects.requireNonNull(model).get();
            running = stream;
            if (cancelled) { // between the question whether it was and the start
                stream.cancel();
            }
        }
        return stream;
    }

    private void release() {
        GenerationStream stream = running;
        if (stream != null) {
            stream.close();
        }
    }

    /** The draft, or the text of an answer that needs none. <em>Confined to one thread.</em> */
    private final class Deltas implements Iterator<String> {

        private @Nullable Iterator<String> fixed;
        private @Nullable MarkStream marks;
        private String next = "";

        @Override
        public boolean hasNext() {
            if (next.isEmpty() && !closed) {
                next = inquiry.found().isEmpty() || model == null ? nextFixed() : nextWritten();
            }
            return !next.isEmpty() && !closed;
        }

        @Override
        public String next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended; ask hasNext() first");
            }
            String delta = next;
            next = "";
            return delta;
        }

        private String nextFixed() {
            Iterator<String> pieces = fixed;
            if (pieces == null) {
                pieces = inquiry.found().isEmpty()
                        ? List.of(inquiry.finding().unknownText(options.unknownText()))
                                .iterator()
                        : inquiry.quotes().iterator();
                fixed = pieces;
            }
            return !cancelled && pieces.hasNext() ? pieces.next() : "";
        }

        private String nextWritten() {
            MarkStream resolved = marks;
            if (resolved == null) {
                Set<Integer> known =
                        inquiry.packed().stream().map(TwinPrompt.Packed::number).collect(Collectors.toSet());
                resolved = new MarkStream(known);
                marks = resolved;
            }
            if (result != null || cancelled && running == null) {
                return resolved.end();
            }
            Iterator<String> written = started().iterator();
            while (written.hasNext()) {
                String shown = resolved.append(written.next());
                if (!shown.isEmpty()) {
                    return shown;
                }
            }
            return resolved.end();
        }
    }
}
