package dev.pollux.samples.cli;

import java.lang.reflect.Field;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Suppresses log messages of libraries on standard error: their advice is for developers, not for users of the command
 * line.
 */
final class LibraryMessages {

    private static final int FIRST_JDK_THAT_WARNS = 24;
    /** Strong references: a logger that is garbage-collected loses its level. */
    private static final List<Logger> LOGGERS = Stream.of("org.apache.lucene", "ai.onnxruntime")
            .map(Logger::getLogger)
            .toList();

    private LibraryMessages() {}

    static void silence() {
        LOGGERS.forEach(logger -> logger.setLevel(Level.SEVERE));
        if (Runtime.version().feature() >= FIRST_JDK_THAT_WARNS) {
            spendUnsafeWarning();
        }
    }

    /**
     * The JVM warns once of {@code sun.misc.Unsafe}, which protobuf uses. A jar's manifest cannot disable the warning, so
     * this method marks it as already printed. If the JVM has no such field, the warning is printed.
     */
    private static void spendUnsafeWarning() {
        try {
            Field warned = Class.forName("sun.misc.Unsafe").getDeclaredField("memoryAccessWarned");
            warned.setAccessible(true);
            warned.setBoolean(null, true);
        } catch (ReflectiveOperationException | RuntimeException e) {
            System.getLogger(LibraryMessages.class.getName()).log(System.Logger.Level.DEBUG, "the JVM may warn", e);
        }
    }
}
