package dev.pollux.samples.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/** Keeps standard error to the command line's own lines: libraries advise the owner of the JVM, who is not its user. */
final class LibraryMessages {

    private static final int FIRST_JDK_THAT_WARNS = 24;
    /** Held, because a logger that nobody holds forgets its level. */
    private static final List<Logger> LOGGERS =
            Stream.of("org.apache.lucene", "ai.onnxruntime").map(Logger::getLogger).toList();

    private LibraryMessages() {}

    static void silence() {
        LOGGERS.forEach(logger -> logger.setLevel(Level.SEVERE));
        if (Runtime.version().feature() >= FIRST_JDK_THAT_WARNS) {
            spendUnsafeWarning();
        }
    }

    /**
     * A JVM warns of {@code sun.misc.Unsafe}, which protobuf uses, once and to {@code System.err}. The manifest of a jar cannot
     * give the flag against it, so that the one warning is given here, to nobody.
     */
    private static void spendUnsafeWarning() {
        PrintStream standardError = System.err;
        try (PrintStream nobody = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
            System.setErr(nobody);
            Class<?> type = Class.forName("sun.misc.Unsafe");
            Field instance = type.getDeclaredField("theUnsafe");
            instance.setAccessible(true);
            type.getMethod("arrayBaseOffset", Class.class).invoke(instance.get(null), byte[].class);
        } catch (ReflectiveOperationException | RuntimeException e) {
            // The method is gone or denied: then there is nothing to warn of.
            return;
        } finally {
            System.setErr(standardError);
        }
    }
}
