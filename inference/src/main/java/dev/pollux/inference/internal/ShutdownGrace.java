package dev.pollux.inference.internal;

import java.time.Duration;

/** How long runs may go on when the JVM ends; set without loading the native library. <em>Thread-safe.</em> */
public final class ShutdownGrace {

    /** The time where none is set. */
    public static final int DEFAULT_SECONDS = 10;

    private static volatile long nanos = Duration.ofSeconds(DEFAULT_SECONDS).toNanos();
    private static volatile boolean leftToHost;

    private ShutdownGrace() {}

    /** Ends runs after a time. */
    public static void set(Duration time) {
        nanos = time.toNanos();
        leftToHost = false;
    }

    /** Ends no runs. */
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
