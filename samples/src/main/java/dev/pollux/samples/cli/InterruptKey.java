package dev.pollux.samples.cli;

import java.lang.reflect.Proxy;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C in a conversation: the first ends the turn, any other the program.
 *
 * <p>The JDK offers signals only in {@code sun.misc}, which some runtimes lack. Without it, Ctrl-C ends the program.
 */
final class InterruptKey implements AutoCloseable {

    private static final String SIGNAL = "sun.misc.Signal";
    private static final String HANDLER = "sun.misc.SignalHandler";

    private final Runnable restore;

    private InterruptKey(Runnable restore) {
        this.restore = restore;
    }

    /** @param ends ends the current turn; returns false if there is none, and then the program ends */
    static InterruptKey ending(BooleanSupplier ends) {
        try {
            Object before = handle(handler(ends));
            return new InterruptKey(() -> restore(before));
        } catch (ReflectiveOperationException | IllegalArgumentException e) { // another platform, or -Xrs
            return new InterruptKey(() -> {});
        }
    }

    @SuppressWarnings("ReferenceEquality") // a handler equals itself alone
    private static Object handler(BooleanSupplier ends) throws ClassNotFoundException {
        Class<?> type = Class.forName(HANDLER);
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
            switch (method.getName()) {
                case "handle" -> {
                    if (!ends.getAsBoolean()) {
                        System.exit(ExitCode.INTERRUPTED);
                    }
                    return null;
                }
                case "equals" -> {
                    return proxy == arguments[0];
                }
                case "hashCode" -> {
                    return System.identityHashCode(proxy);
                }
                default -> {
                    return "Ctrl-C ends a turn";
                }
            }
        });
    }

    private static Object handle(Object handler) throws ReflectiveOperationException {
        Class<?> signal = Class.forName(SIGNAL);
        Object key = signal.getConstructor(String.class).newInstance("INT");
        return signal.getMethod("handle", signal, Class.forName(HANDLER)).invoke(null, key, handler);
    }

    private static void restore(Object before) {
        try {
            handle(before);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("What was handled before can be handled again", e);
        }
    }

    @Override
    public void close() {
        restore.run();
    }
}
