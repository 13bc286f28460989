package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.Usage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An answer in progress, pulled by its reader. {@link #evidence()} is available from the start; the text follows.
 *
 * <p>A written sentence enters the stream with its citation marks as soon as it has passed the check. The stream never
 * retracts text; the concatenated deltas equal the text of the result. If no written sentence passes, the deltas are the
 * quotes. If the groundedness is below {@link TwinOptions#minGroundedness()}, the quotes that are not cited yet follow the
 * written sentences.
 *
 * <pre>{@code
 * try (AnswerStream stream = twin.stream("How do I merge two models?")) {
 *     view.show(stream.evidence());
 *     for (String delta : stream) {
 *         view.append(delta);
 *     }
 *     view.references(stream.result().citations());
 * }
 * }</pre>
 *
 * <p>{@link #deltas()} also returns the unchecked draft of the model, for progress or for a view that marks it as a verifier.
 *
 * <p>The stream stops the model at the next token when the model repeats itself, when two sentences in a row were dropped,
 * or when the question is answered; {@link Answer#stop()} has the reason.
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 */
public final class AnswerStream implements Iterable<String>, AutoCloseable {

    /*
     * Each step does one of these, in this order of precedence:
     *
     *   no evidence                  adds the unknown text and ends
     *   no model                     adds the quotes and ends
     *   cancelled before the start   adds the quotes and ends
     *   otherwise                    reads one piece of the model; at its end, adds the quotes that the answer needs and ends
     *
     * Invariant: the concatenated deltas of the answer channel equal the text of the result. Cancelling only sets a flag
     * and stops the model; the reader's thread does all other work.
     */

    /** The kind of text that a delta is part of. */
    public enum Channel {
        /** The model's text, unchecked: it may be false, and most of it may never become part of the answer. */
        DRAFT,
        /** The answer. */
        ANSWER
    }

    /**
     * A piece of text with its channel; never empty.
     *
     * @param channel the kind of text
     * @param text the piece
     */
    public record Delta(Channel channel, String text) {}

    private final PreparedQuestion prepared;
    private final TwinOptions options;
    private final @Nullable Supplier<Writing> model;
    private final Consumer<Answer> onResult;
    private final Deque<Delta> ready = new ArrayDeque<>();
    private final Iterator<Delta> deltas = new Deltas();
    private final Iterator<String> text = new Text();

    private volatile @Nullable Writing writing;
    private volatile boolean cancelled;
    private boolean closed;
    private boolean told;
    private @Nullable Answer result;

    /**
     * @param model starts the model and the check of its text; null if the model is not called
     * @param onResult receives the result once, when it is first requested
     */
    AnswerStream(
            PreparedQuestion prepared,
            TwinOptions options,
            @Nullable Supplier<Writing> model,
            Consumer<Answer> onResult) {
        this.prepared = prepared;
        this.options = options;
        this.model = model;
        this.onResult = onResult;
    }

    /** Returns the most relevant sentences of the documents, best first; empty if none is relevant. */
    public List<Evidence> evidence() {
        return prepared.evidence();
    }

    /** Returns how many of the retrieved passages the model is given. */
    public Packing packing() {
        return prepared.packing();
    }

    /** Returns the iterator over the answer without the draft; every call returns the same one. No delta is empty. */
    @Override
    public Iterator<String> iterator() {
        return text;
    }

    /**
     * Returns the iterator over answer and draft, each piece with its channel. Every call continues at the position of the
     * last one, or of {@link #iterator()}. A sentence enters the answer after its last piece in the verifier.
     */
    public Iterator<Delta> deltas() {
        return deltas;
    }

    /**
     * Ends the writing at the next token. Callable from any thread. Cancelling is not an error: the text so far is checked,
     * and the evidence remains available.
     */
    public void cancel() {
        cancelled = true;
        Writing now = writing;
        if (now != null) {
            now.cancel();
        }
    }

    /**
     * Returns the complete answer. Before the last delta, it first lets the model write the rest.
     *
     * @throws IllegalStateException if the stream was closed before its end
     */
    public Answer result() {
        Answer answer = result;
        if (answer == null && closed) {
            throw new IllegalStateException("The answer was closed before its end; ask for the result first");
        }
        while (answer == null) {
            step();
            answer = result;
        }
        if (!told) {
            told = true;
            onResult.accept(answer);
        }
        return answer;
    }

    /** Releases the resources; cancels the writing if it has not ended. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    /** Does one step: puts at least one delta into {@link #ready} or sets the result. */
    private void step() {
        if (prepared.found().isEmpty()) {
            String unknown = prepared.finding().unknownText(options.unknownText());
            add(unknown);
            end(answer(Answer.Kind.UNKNOWN, unknown, prepared.finding().citations(), Course.NONE));
        } else if (model == null) {
            prepared.quotes().forEach(this::add);
            end(quoted(Course.NONE));
        } else if (cancelled && writing == null) {
            end(quoted(Course.CANCELLED));
        } else {
            write(model);
        }
    }

    private void write(Supplier<Writing> starting) {
        Writing now = writing;
        if (now == null) {
            now = started(starting);
        }
        if (!now.read(ready::add)) {
            Generation generation = now.end(ready::add);
            end(written(now.verifier(), Course.of(now, generation)));
        }
    }

    private Answer written(AnswerVerifier done, Course course) {
        if (done.text().isEmpty()) {
            prepared.quotes().forEach(this::add);
            return quoted(course);
        }
        List<Citation> citations = new ArrayList<>(done.citations());
        StringBuilder whole = new StringBuilder(done.text());
        if (done.groundedness() < options.minGroundedness()) {
            Set<Integer> cited = citations.stream().map(Citation::number).collect(Collectors.toSet());
            List<String> quotes = prepared.quotes();
            for (Evidence evidence : evidence()) {
                if (!cited.contains(evidence.number())) {
                    String quote = PreparedQuestion.BETWEEN_QUOTES
                            + quotes.get(evidence.number() - 1).strip();
                    add(quote);
                    whole.append(quote);
                    citations.add(evidence.citation());
                }
            }
            citations.sort(Comparator.comparingInt(Citation::number));
        }
        return answer(Answer.Kind.WRITTEN, whole.toString(), citations, course);
    }

    private Answer quoted(Course course) {
        List<Citation> citations = evidence().stream().map(Evidence::citation).toList();
        return answer(Answer.Kind.QUOTED, String.join("", prepared.quotes()), citations, course);
    }

    /** The outcome of the writing. */
    private record Course(
            List<DroppedSentence> dropped,
            double groundedness,
            Optional<FinishReason> finish,
            Optional<Answer.Stop> stop,
            Usage usage) {

        static final Course NONE = new Course(List.of(), 1, Optional.empty(), Optional.empty(), Usage.NONE);

        static final Course CANCELLED = new Course(
                List.of(), 1, Optional.of(FinishReason.CANCELLED), Optional.of(Answer.Stop.CANCELLED), Usage.NONE);

        static Course of(Writing writing, Generation generation) {
            return new Course(
                    writing.verifier().dropped(),
                    writing.verifier().groundedness(),
                    Optional.of(generation.finish()),
                    Optional.of(writing.stop(generation)),
                    generation.usage());
        }
    }

    private Answer answer(Answer.Kind kind, String whole, List<Citation> citations, Course course) {
        return new Answer(
                kind,
                whole,
                citations,
                evidence(),
                course.dropped(),
                course.groundedness(),
                prepared.packing(),
                course.finish(),
                course.stop(),
                course.usage(),
                prepared.finding().notices());
    }

    private void add(String piece) {
        ready.add(new Delta(Channel.ANSWER, piece));
    }

    private void end(Answer answer) {
        result = answer;
        release();
    }

    private Writing started(Supplier<Writing> starting) {
        Writing now = starting.get();
        writing = now;
        if (cancelled) { // set after the check in step()
            now.cancel();
        }
        return now;
    }

    private void release() {
        Writing now = writing;
        if (now != null) {
            now.close();
        }
    }

    /** <em>Confined to one thread.</em> */
    private final class Deltas implements Iterator<Delta> {

        @Override
        public boolean hasNext() {
            while (ready.isEmpty() && result == null && !closed) {
                step();
            }
            return !ready.isEmpty() && !closed;
        }

        @Override
        public Delta next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended; ask hasNext() first");
            }
            return ready.remove();
        }
    }

    /** <em>Confined to one thread.</em> */
    private final class Text implements Iterator<String> {

        @Override
        public boolean hasNext() {
            while (deltas.hasNext()) {
                if (ready.element().channel() == Channel.ANSWER) {
                    return true;
                }
                ready.remove();
            }
            return false;
        }

        @Override
        public String next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended; ask hasNext() first");
            }
            return deltas.next().text();
        }
    }
}
