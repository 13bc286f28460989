package dev.pollux.inference.hub;

import dev.pollux.job.JobContext;
import java.io.IOException;
import java.time.Duration;

/**
 * How often and after what pause a request is tried again: 1 s, 2 s, 4 s and so on up to 30 s, or what {@code Retry-After}
 * asks for. <em>Not thread-safe: one thread at a time.</em>
 */
final class Retries {

    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(30);

    /** A server that asks for more is not waited for. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration SLICE = Duration.ofMillis(100);

    private final int most;
    private final Surroundings surroundings;
    private final JobContext context;
    private int used;

    Retries(HubSettings settings, JobContext context) {
        this.most = settings.retries();
        this.surroundings = settings.surroundings();
        this.context = context;
    }

    /** Enough has come since the last failure to begin counting anew. */
    void succeeded() {
        used = 0;
    }

    /**
     * Waits for the next attempt.
     *
     * @throws IOException {@code why}, if another attempt is of no use or there have been enough
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
