package dev.pollux.retrieval;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The stages of a retrieval, for a user who asks why a passage was found or not. A query carries it to every retriever and
 * decorator ({@link Query#withTrace}); each adds its stage when it has ended, so an inner stage is before the outer one.
 *
 * <pre>{@code
 * Trace trace = Trace.recording();
 * retriever.retrieve(Query.of("parental leave").withTrace(trace));
 * trace.stages().forEach(System.out::println);
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class Trace {

    /** Records nothing; the default of a query. */
    public static final Trace NONE = new Trace(false);

    private final boolean recording;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Stage> stages = new ArrayList<>(); // guarded by lock

    private Trace(boolean recording) {
        this.recording = recording;
    }

    /** A new trace without stages. */
    public static Trace recording() {
        return new Trace(true);
    }

    /** Whether stages are recorded. */
    public boolean isRecording() {
        return recording;
    }

    /**
     * Adds a stage that ends now.
     *
     * @param stage what was done, such as {@code dense scan}
     * @param in number of passages, documents or texts that the stage was given
     * @param out number that it passed on
     * @param begin {@link System#nanoTime()} at its begin
     */
    public void add(String stage, int in, int out, long begin) {
        if (recording) {
            Duration elapsed = Duration.ofNanos(System.nanoTime() - begin);
            lock.lock();
            try {
                stages.add(new Stage(stage, in, out, elapsed));
            } finally {
                lock.unlock();
            }
        }
    }

    /** The stages so far, in the order in which they ended. */
    public List<Stage> stages() {
        lock.lock();
        try {
            return List.copyOf(stages);
        } finally {
            lock.unlock();
        }
    }

    /**
     * A stage. <em>Immutable.</em>
     *
     * @param stage what was done
     * @param in number of passages, documents or texts that the stage was given
     * @param out number that it passed on
     * @param elapsed its duration, with that of the stages inside it
     */
    public record Stage(String stage, int in, int out, Duration elapsed) {

        /** The duration in milliseconds, with a fraction. */
        public double millis() {
            return elapsed.toNanos() / 1e6;
        }
    }
}
