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
 * The one native environment, and every run in it.
 *
 * <p>ONNX Runtime frees its environment in a JVM shutdown hook, also under a call that is running, which crashes the JVM; hooks
 * run at the same time, so a hook of ours cannot come first. The native environment counts its holders, though: it is
 * acquired here once more, so that the library's hook lets go of one hold only, and a hook of ours waits until the runs in
 * progress have ended: of themselves for as long as {@link ShutdownGrace} allows, then because they are terminated.
 *
 * <p>A native call does not see that its thread is interrupted. The JDK tells the channel in which a thread is blocked, so a
 * run is announced as one: the interrupt terminates it at its next operator. <em>Thread-safe.</em>
 */
public final class NativeRuntime {

    private static final System.Logger LOGGER = System.getLogger(NativeRuntime.class.getName());
    private static final String ENDED = "The JVM is shutting down; no model runs any more";
    private static final Set<RunGuard> RUNNING = ConcurrentHashMap.newKeySet();
    private static final ReentrantLock OPENING = new ReentrantLock();
    private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(20);
    /** A request runs the model again and again; nothing runs for so long between two runs of one. */
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
     * The environment; it lives as long as the JVM.
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
     * The version of the ONNX Runtime that is loaded, such as {@code 1.28.0}: a host may have brought another than Pollux does.
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
     * Announces a run of this thread, which closes the guard when it is over.
     *
     * @throws CancelledException if the thread is interrupted, or no model runs any more because the JVM ends
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
     * What to throw when a run fails: {@link CancelledException} where the thread is interrupted or the JVM ends.
     *
     * @param message said of any other failure, before its reason
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

    /** Whether a request is in progress, as far as one can tell from runs; what is closed has none. */
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

    /** What the JDK tells of an interrupt: that a channel is to be closed because the thread in it was interrupted. */
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
            } catch (AsynchronousCloseException e) { // the thread stays interrupted, and the run says how it ended
                LOGGER.log(System.Logger.Level.TRACE, "interrupted", e);
            }
        }

        @Override
        protected void implCloseChannel() {
            run.terminate();
        }
    }

    /** One run: its options, and the means to end it from another thread. */
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

        /** To be passed to the run. */
        public OrtSession.RunOptions options() {
            return options;
        }

        /** Makes the run fail at its next operator; without effect once it is over. */
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
