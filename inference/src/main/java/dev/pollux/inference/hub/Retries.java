package dev.pollux.inference.hub;

import dev.pollux.job.JobContext;
import java.io.IOException;
import java.time.Duration;

/**
 * The number of retries of a request and the delay before each: 1 s, 2 s, 4 s and so on up to 30 s, or the value of
 * {@code Retry-After}. <em>Not thread-safe: one thread at a time.</em>
 */
final class Retries {

    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(30);

    /** Maximum delay: a request is not retried if the server asks for more. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration SLICE = Duration.ofMillis(100);

    private final int most;
    private final FileSystemAndClock surroundings;
    private final JobContext context;
    private int used;

    Retries(HubSettings settings, JobContext context) {
        this.most = settings.retries();
        this.surroundings = settings.surroundings();
        this.context = context;
    }

    /** Resets the count, because enough data has arrived since the last failure. */
    void succeeded() {
        used = 0;
    }

    /**
     * Waits before the next attempt.
     *
     * @throws IOException {@code why}, if a retry is useless or the retries are exhausted
     */
    void pause(String what, IOException why) throws IOException {
        Duration wait = min(FIRST.multipliedBy(1L << Math.min(used, 5)), LONGEST);
        if (why instanceof HubStatusException status) {
            if (!status.isPassing()) {
                throw why;
            }
            wait = status.retryAfter().orElse(wait);
        }
        if (used == most) {
            throw new IOException(why.getMessage() + (most == 0 ? "" : "; tried " + (most + 1) + " times"), why);
        }
        if (wait.compareTo(PATIENCE) > 0) {
            throw new IOException(why.getMessage() + " and asks to wait " + wait.toSeconds() + " s", why);
        }
        used++;
        context.notice(what + ": " + why.getMessage() + "; trying again in " + wait.toSeconds() + " s (" + used + " of "
                + most + ")");
        sleep(wait);
    }

    private void sleep(Duration time) {
        try {
            for (Duration left = time; !left.isZero() && !left.isNegative(); left = left.minus(SLICE)) {
                context.checkCancelled();
                surroundings.sleep(min(left, SLICE));
            }
        } catch (InterruptedException e) {
            throw HubTransport.interrupted(e);
        }
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
