package dev.pollux.inference.internal;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.ModelExecutionException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The one native environment, and every run in it.
 *
 * <p>ONNX Runtime frees its environment in a JVM shutdown hook, also under a call that is running, which crashes the JVM; hooks
 * run at the same time, so a hook of ours cannot come first. The native environment counts its holders, though: it is
 * acquired here once more, so that the library's hook lets go of one hold only, and a hook of ours terminates the runs in
 * progress and waits for them. <em>Thread-safe.</em>
 */
public final class NativeRuntime {

    private static final Set<RunGuard> RUNNING = ConcurrentHashMap.newKeySet();
    private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
    private static final long DRAIN_SECONDS = 20;
    private static volatile boolean ending;

    static {
        holdNativeEnvironment();
        Runtime.getRuntime().addShutdownHook(new Thread(NativeRuntime::drain, "pollux-drain"));
    }

    private NativeRuntime() {}

    /** The environment; it lives as long as the JVM. */
    public static OrtEnvironment environment() {
        return ENVIRONMENT;
    }

    /** The names of the execution providers that this ONNX Runtime was built with, such as {@code CUDA}. */
    public static Set<String> providers() {
        return OrtEnvironment.getAvailableProviders().stream()
                .map(provider -> provider.name().replace("_", ""))
                .collect(Collectors.toSet());
    }

    /** Announces a run; close the guard when it is over. */
    public static RunGuard begin() {
        RunGuard run = new RunGuard();
        RUNNING.add(run);
        if (ending) {
            run.close();
            throw new IllegalStateException("The JVM is shutting down; no model runs any more");
        }
        return run;
    }

    private static void holdNativeEnvironment() {
        try {
            Field api = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("ortApiHandle");
            api.setAccessible(true);
            Method create = OrtEnvironment.class.getDeclaredMethod("createHandle", long.class, int.class, String.class);
            create.setAccessible(true);
            create.invoke(null, api.getLong(null), 2, "pollux");
        } catch (ReflectiveOperationException | RuntimeException e) {
            System.getLogger(NativeRuntime.class.getName())
                    .log(
                            System.Logger.Level.WARNING,
                            "Cannot hold the native environment: ending the JVM during a run may crash it",
                            e);
        }
    }

    private static void drain() {
        ending = true;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DRAIN_SECONDS);
        while (!RUNNING.isEmpty() && System.nanoTime() < deadline) {
            RUNNING.forEach(RunGuard::terminate);
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** One run: its options, and the means to end it from another thread. */
    public static final class RunGuard implements AutoCloseable {

        private final OrtSession.RunOptions options;
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
        public synchronized void close() {
            if (!closed) {
                closed = true;
                RUNNING.remove(this);
                options.close();
            }
        }
    }
}
