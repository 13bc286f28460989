package dev.pollux.samples.cli;

import java.lang.reflect.Field;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/** Keeps standard error to the command line's own lines: libraries advise the owner of the JVM, who is not its user. */
final class LibraryMessages {

    private static final int FIRST_JDK_THAT_WARNS = 24;
    /** Held, because a logger that nobody holds forgets its level. */
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
     * A JVM warns once of {@code sun.misc.Unsafe}, which protobuf uses. The manifest of a jar cannot give the flag against it, so
     * that the JVM, which is this program's own, is told that it has warned. Where the field is another, the warning comes.
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
