package dev.pollux.internal;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A record of an open resource, such as a native session or a mapped file, kept until it is closed. Tests use it to report
 * leaks and where they were opened. <em>Thread-safe.</em>
 */
public final class OpenHandle implements AutoCloseable {

    private static final Set<OpenHandle> OPEN = ConcurrentHashMap.newKeySet();
    private static volatile boolean traced;

    private final String what;
    private final Throwable opened;

    private OpenHandle(String what) {
        this.what = what;
        this.opened = new Throwable("opened here: " + what);
        if (!traced) {
            opened.setStackTrace(new StackTraceElement[0]);
        }
    }

    /** Registers {@code what} as open. */
    public static OpenHandle of(String what) {
        OpenHandle handle = new OpenHandle(what);
        OPEN.add(handle);
        return handle;
    }

    /** All open handles. */
    public static List<OpenHandle> open() {
        return List.copyOf(OPEN);
    }

    /** Whether handles keep the stack of their opening, from now on. */
    public static void trace(boolean on) {
        traced = on;
    }

    /** Where it was opened; the stack is empty unless {@link #trace} was on. */
    public Throwable openedAt() {
        return opened;
    }

    /** Unregisters the handle. Idempotent. */
    @Override
    public void close() {
        OPEN.remove(this);
    }

    @Override
    public String toString() {
        return what;
    }
}
