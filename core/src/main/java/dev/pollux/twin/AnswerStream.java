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
 * An answer in progress, pulled by its reader: {@link #evidence()} is there from the beginning, the text follows.
 *
 * <p>A sentence of the model is in the stream as soon as it has passed the check, with the marks of its citations; nothing that was
 * in the stream is taken back, and the deltas joined are the text of the result. Where nothing that the model writes passes, they
 * are the quotes. Where what passes is less than {@link TwinOptions#minGroundedness()} of what it wrote, the quotes that are not
 * cited yet follow it.
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
 * <p>{@link #deltas()} gives the draft too, as the model writes it and unchecked: to show that it writes, or to show it marked as
 * a draft.
 *
 * <p>The model is stopped at the next token when it repeats itself, when two sentences in a row were dropped, and when the
 * question is answered; {@link Answer#stop()} says which.
 *
 * <p><em>Confined to one thread except {@link #cancel()}.</em>
 */
public final class AnswerStream implements Iterable<String>, AutoCloseable {

    /** What a delta belongs to. */
    public enum Channel {
        /** What the model writes, unchecked: it may be false, and most of it may never be in the answer. */
        DRAFT,
        /** The answer. */
        ANSWER
    }

    /**
     * A piece of text with its channel; never empty.
     *
     * @param channel what it belongs to
     * @param text the piece
     */
    public record Delta(Channel channel, String text) {}

    private final Inquiry inquiry;
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
     * @param model starts the model and the check of what it writes; null where it is not asked
     * @param onResult is told the result once, when it is asked for
     */
    AnswerStream(Inquiry inquiry, TwinOptions options, @Nullable Supplier<Writing> model, Consumer<Answer> onResult) {
        this.inquiry = inquiry;
        this.options = options;
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

    /** The one iterator over the answer; every call returns the same. It passes over the draft. No delta is empty. */
    @Override
    public Iterator<String> iterator() {
        return text;
    }

    /**
     * The answer and the model's draft of it with the channel that each piece belongs to; every call goes on where the last one,
     * or {@link #iterator()}, stopped. A sentence is in the answer after its last piece was in the draft.
     */
    public Iterator<Delta> deltas() {
        return deltas;
    }

    /**
     * Ends the writing at the next token, from any thread. It is not an error: what was written so far is checked, and the
     * evidence is there in any case.
     */
    public void cancel() {
        cancelled = true;
        Writing now = writing;
        if (now != null) {
            now.cancel();
        }
    }

    /**
     * The answer after the last delta; called earlier, it lets the model write the rest first.
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

    /** Frees what the stream holds; cancels the writing if it has not ended. Idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    /** Does a piece of the work: puts at least one delta into {@link #ready} or sets the result. */
    private void step() {
        if (inquiry.found().isEmpty()) {
            String unknown = inquiry.finding().unknownText(options.unknownText());
            add(unknown);
            end(answer(Answer.Kind.UNKNOWN, unknown, inquiry.finding().citations(), Course.NONE));
        } else if (model == null) {
            inquiry.quotes().forEach(this::add);
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
            end(written(now.draft(), Course.of(now, generation)));
        }
    }

    private Answer written(Draft done, Course course) {
        if (done.text().isEmpty()) {
            inquiry.quotes().forEach(this::add);
            return quoted(course);
        }
        List<Citation> citations = new ArrayList<>(done.citations());
        StringBuilder whole = new StringBuilder(done.text());
        if (done.groundedness() < options.minGroundedness()) {
            Set<Integer> cited = citations.stream().map(Citation::number).collect(Collectors.toSet());
            List<String> quotes = inquiry.quotes();
            for (Evidence evidence : evidence()) {
                if (!cited.contains(evidence.number())) {
                    String quote = Inquiry.BETWEEN_QUOTES
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
        return answer(Answer.Kind.QUOTED, String.join("", inquiry.quotes()), citations, course);
    }

    /** What became of the writing. */
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
                    writing.draft().dropped(),
                    writing.draft().groundedness(),
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
                inquiry.packing(),
                course.finish(),
                course.stop(),
                course.usage(),
                inquiry.finding().notices());
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
        if (cancelled) { // between the question whether it was and the start
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
