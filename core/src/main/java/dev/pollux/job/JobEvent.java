package dev.pollux.job;

import java.time.Duration;
import java.util.OptionalLong;

/** What a {@link Job} reports while it runs, in this order: one {@link Started}, any number of the others, one {@link Finished}. */
public sealed interface JobEvent {

    /** The name of the job, such as {@code "export"}. */
    String job();

    /** The job has begun. <em>Immutable.</em> */
    record Started(String job) implements JobEvent {}

    /**
     * Work done so far. <em>Immutable.</em>
     *
     * @param stage what is being done now, such as {@code "embed"}
     * @param done units finished in this stage, at least 0
     * @param total units in this stage, if known
     * @param unit what is counted, such as {@code "bytes"} or {@code "passages"}
     */
    record Progress(String job, String stage, long done, OptionalLong total, String unit) implements JobEvent {}

    /** Something the caller should know that does not stop the job. <em>Immutable.</em> */
    record Notice(String job, String message) implements JobEvent {}

    /** The job has ended. <em>Immutable.</em> */
    record Finished(String job, Outcome outcome, Duration elapsed) implements JobEvent {}

    /** How a job ended. */
    enum Outcome {
        COMPLETED,
        CANCELLED,
        FAILED
    }
}
