package dev.pollux.inference.internal;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.PolluxException;
import dev.pollux.inference.internal.natives.NativeLibraries;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The native environment of the process and its runs.
 *
 * <p>Shutdown: ONNX Runtime frees its environment in a JVM shutdown hook, even during a run, which crashes the JVM. Hooks
 * run concurrently, so another hook cannot run first. The native environment is reference-counted, so this class acquires a
 * second reference; the library's hook then releases only its own. A hook of this class waits for the runs in progress: up
 * to the time in {@link ShutdownGrace} for them to finish, then it terminates them.
 *
 * <p>Interrupts: a native call does not notice the interrupt of its thread. The JDK closes the interruptible channel in
 * which an interrupted thread is blocked, so each run is registered as such a channel. Closing it terminates the run at its
 * next operator. <em>Thread-safe.</em>
 */
public final class NativeRuntime {

    private static final System.Logger LOGGER = System.getLogger(NativeRuntime.class.getName());
    private static final String ENDED = "The JVM is shutting down; no model runs any more";
    private static final Set<RunGuard> RUNNING = ConcurrentHashMap.newKeySet();
    private static final ReentrantLock OPENING = new ReentrantLock();
    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(20);
    /** A longer pause between runs means that no request is in progress: a request runs the model repeatedly. */
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long POLL_MILLIS = 1;

    private static volatile @Nullable OrtEnvironment environment;
    private static volatile boolean ending;
    private static volatile long lastRun = System.nanoTime() - QUIET_NANOS;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(NativeRuntime::drain, "pollux-drain"));
    }

    private NativeRuntime() {}

    /**
     * The environment; it exists until the JVM ends.
     *
     * @throws dev.pollux.StorageException if native libraries cannot be unpacked into the cache
     * @throws ModelExecutionException if they cannot be loaded
     */
    public static OrtEnvironment environment() {
        OrtEnvironment open = environment;
        return open == null ? open() : open;
    }

    private static OrtEnvironment open() {
        OPENING.lock();
        try {
            OrtEnvironment open = environment;
            if (open == null) {
                open = NativeLibraries.openEnvironment();
                holdNativeEnvironment();
                environment = open;
            }
            return open;
        } finally {
            OPENING.unlock();
        }
    }

    /**
     * The version of the loaded ONNX Runtime, such as {@code 1.28.0}. A host may supply another version than Pollux.
     *
     * @throws dev.pollux.StorageException if native libraries cannot be unpacked into the cache
     * @throws ModelExecutionException if they cannot be loaded
     */
    public static String version() {
        return environment().getVersion();
    }

    /** The names of the execution providers that this ONNX Runtime was built with, such as {@code CUDA}. */
    public static Set<String> providers() {
        environment();
        return OrtEnvironment.getAvailableProviders().stream()
                .map(provider -> provider.name().replace("_", ""))
                .collect(Collectors.toSet());
    }

    /**
     * Registers a run of this thread; close the guard after the run.
     *
     * @throws CancelledException if the thread is interrupted or the JVM is shutting down
     */
    public static RunGuard begin() {
        Interrupts.check();
        RunGuard run = new RunGuard();
        RUNNING.add(run);
        if (ending) {
            run.close();
            throw new CancelledException(ENDED);
        }
        run.interrupts.enter();
        return run;
    }

    /**
     * The exception for a failed run: {@link CancelledException} if the thread is interrupted or the JVM is shutting down.
     *
     * @param message the beginning of the message of any other failure
     */
    public static PolluxException failure(String message, OrtException e) {
        if (Thread.currentThread().isInterrupted()) {
            return Interrupts.cancelled(e);
        }
        return ending
                ? new CancelledException(ENDED, e)
                : new ModelExecutionException(message + ": " + e.getMessage(), e);
    }

    private static void ended(RunGuard run) {
        lastRun = System.nanoTime();
        RUNNING.remove(run);
    }

    private static void holdNativeEnvironment() {
        try {
            Field api = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("ortApiHandle");
            api.setAccessible(true);
            Method create = OrtEnvironment.class.getDeclaredMethod("createHandle", long.class, int.class, String.class);
            create.setAccessible(true);
            create.invoke(null, api.getLong(null), 2, "pollux");
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(
                    System.Logger.Level.WARNING,
                    "Cannot hold the native environment: ending the JVM during a run may crash it",
                    e);
        }
    }

    private static void drain() {
        long begin = System.nanoTime();
        while (isBusy() && (ShutdownGrace.isLeftToHost() || System.nanoTime() - begin < ShutdownGrace.nanos())) {
            if (!pause()) {
                return;
            }
        }
        if (ShutdownGrace.isLeftToHost()) {
            return;
        }
        ending = true;
        long terminated = System.nanoTime();
        while (!RUNNING.isEmpty() && System.nanoTime() - terminated < DRAIN_NANOS) {
            RUNNING.forEach(RunGuard::terminate);
            if (!pause()) {
                return;
            }
        }
    }

    /** Whether a request is probably in progress, judged by recent runs; a closed session has none. */
    private static boolean isBusy() {
        boolean recently =
                System.nanoTime() - lastRun < QUIET_NANOS && !OpenHandle.open().isEmpty();
        return recently || !RUNNING.isEmpty();
    }

    private static boolean pause() {
        try {
            Thread.sleep(POLL_MILLIS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The channel that the JDK closes when its thread is interrupted. */
    private static final class Interruptible extends AbstractInterruptibleChannel {

        private final RunGuard run;

        Interruptible(RunGuard run) {
            this.run = run;
        }

        void enter() {
            begin();
        }

        void leave() {
            try {
                end(true);
            } catch (AsynchronousCloseException e) { // still interrupted; the run reports its own outcome
                LOGGER.log(System.Logger.Level.TRACE, "interrupted", e);
            }
        }

        @Override
        protected void implCloseChannel() {
            run.terminate();
        }
    }

    /** One run: its options, and its termination from another thread. */
    public static final class RunGuard implements AutoCloseable {

        private final OrtSession.RunOptions options;
        private final Interruptible interrupts = new Interruptible(this);
        private boolean closed;

        private RunGuard() {
            try {
                options = new OrtSession.RunOptions();
            } catch (OrtException e) {
                throw new ModelExecutionException("Cannot begin a run: " + e.getMessage(), e);
            }
        }

        /** The options to pass to the run. */
        public OrtSession.RunOptions options() {
            return options;
        }

        /** Makes the run fail at its next operator; no effect after the run. */
        public synchronized void terminate() {
            if (!closed) {
                try {
                    options.setTerminate(true);
                } catch (OrtException e) {
                    throw new ModelExecutionException("Cannot end a run: " + e.getMessage(), e);
                }
            }
        }

        @Override
        public void close() {
            interrupts.leave(); // an interrupt in progress terminates the run first
            synchronized (this) {
                if (!closed) {
                    closed = true;
                    ended(this);
                    options.close();
                }
            }
        }
    }
}
