package dev.pollux.inference.internal;

import java.time.Duration;

/**
 * The time that runs may continue during JVM shutdown. Setting it does not load the native library. <em>Thread-safe.</em>
 */
public final class ShutdownGrace {

    /** The default. */
    public static final int DEFAULT_SECONDS = 10;

    private static volatile long nanos = Duration.ofSeconds(DEFAULT_SECONDS).toNanos();
    private static volatile boolean leftToHost;

    private ShutdownGrace() {}

    /** Terminates runs after {@code time}. */
    public static void set(Duration time) {
        nanos = time.toNanos();
        leftToHost = false;
    }

    /** Leaves the termination of runs to the host. */
    public static void leaveToHost() {
        leftToHost = true;
    }

    static long nanos() {
        return nanos;
    }

    static boolean isLeftToHost() {
        return leftToHost;
    }
}
