package dev.pollux.inference.engine;

import dev.pollux.DeadlineException;
import java.time.Duration;
import java.util.Optional;

/** When a request must have ended. <em>Immutable.</em> */
final class Deadline {

    /** A wait that is long, and whose sum with the clock does not overflow. */
    private static final long FOREVER = Long.MAX_VALUE / 4;

    private final Optional<Duration> time;
    private final long end;

    /** The deadline of a request that begins now. */
    Deadline(Optional<Duration> time) {
        this.time = time;
        this.end = System.nanoTime() + time.map(Deadline::nanos).orElse(FOREVER);
    }

    private static long nanos(Duration time) {
        return time.compareTo(Duration.ofNanos(FOREVER)) > 0 ? FOREVER : time.toNanos();
    }

    /** Nanoseconds that are left. */
    long left() {
        return end - System.nanoTime();
    }

    /**
     * @param when a part of the message
     * @throws DeadlineException if none is left
     */
    void check(String when) {
        if (left() <= 0) {
            throw new DeadlineException(
                    "The deadline of " + time.orElse(Duration.ZERO).toMillis() + " ms passed " + when
                            + "; allow more time or fewer tokens");
        }
    }
}
