package dev.pollux.inference.engine;

import dev.pollux.inference.internal.ShutdownGrace;
import java.time.Duration;

/**
 * Controls how running requests of generators, embedders and rerankers end when the JVM shuts down.
 *
 * <p>By default running requests have {@value #GRACE_SECONDS} seconds to complete. New requests are accepted meanwhile, because
 * a task often consists of several calls. Models stop when that time has passed, when no model has run for a second, or when
 * everything is closed: a stream then ends as cancelled with the text so far, and any other call ends with
 * {@link dev.pollux.CancelledException}. The JVM waits for native calls to return, because ending during one could crash it.
 *
 * <p>A host that ends its requests and closes its models itself, such as an application server, can set a longer time:
 *
 * <pre>{@code
 * Shutdown.grace(Duration.ofSeconds(45)); // longer than the host's own time
 * }</pre>
 *
 * <p>The setting applies to the whole JVM, from the next shutdown on. <em>Thread-safe.</em>
 */
public final class Shutdown {

    /** The default time for running requests, in seconds. */
    public static final int GRACE_SECONDS = ShutdownGrace.DEFAULT_SECONDS;

    private Shutdown() {}

    /**
     * Sets the time that running requests have to complete.
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
     * Ends and rejects no requests. The host waits for its requests and closes its models in a shutdown hook of its own, which
     * returns after that. The JVM waits for models that are running at shutdown, for any length of time.
     */
    public static void leaveToHost() {
        ShutdownGrace.leaveToHost();
    }
}
