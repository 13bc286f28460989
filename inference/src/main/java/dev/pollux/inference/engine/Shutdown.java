package dev.pollux.inference.engine;

import dev.pollux.inference.internal.ShutdownGrace;
import java.time.Duration;

/**
 * What becomes of running requests, of generators, embedders and rerankers alike, when the JVM is asked to end.
 *
 * <p>By default a request that runs has {@value #GRACE_SECONDS} seconds to come to its end, and new ones are taken
 * meanwhile, since a request often consists of several calls. After that, or when no model has run for a second, or when
 * everything is closed, no model runs any more: a stream ends with the text so far as cancelled, any other call with
 * {@link dev.pollux.CancelledException}. A JVM that ends under a native call could crash; this one waits.
 *
 * <p>A host that ends its requests and closes its models itself, as an application server does, may take longer:
 *
 * <pre>{@code
 * Shutdown.grace(Duration.ofSeconds(45)); // longer than the host's own time
 * }</pre>
 *
 * <p>It holds for the whole JVM, from the next shutdown on. <em>Thread-safe.</em>
 */
public final class Shutdown {

    /** The seconds that requests have by default. */
    public static final int GRACE_SECONDS = ShutdownGrace.DEFAULT_SECONDS;

    private Shutdown() {}

    /**
     * Gives running requests this time.
     *
     * @param time in [0 s, 1 h]; 0 ends them at their next operator
     */
    public static void grace(Duration time) {
        if (time.isNegative() || time.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("time must be in [0 s, 1 h] but was " + time);
        }
        ShutdownGrace.set(time);
    }

    /**
     * Ends no request and refuses none: the host has them end and closes what it opened, in a shutdown hook of its own that
     * returns only then. The JVM waits for models that are running when it is asked to end, however long they take.
     */
    public static void leaveToHost() {
        ShutdownGrace.leaveToHost();
    }
}
