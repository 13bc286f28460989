package dev.pollux.rag.knowledge;

import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/**
 * How JVector computes in this JVM: with the Vector API where the JVM has it, otherwise with plain Java. Its native layer is
 * used only if the host asks for it with {@code -Djvector.vectorization_provider=native}.
 */
final class JVectorRuntime {

    /*
     * JVector 4.0.2 decides when its class VectorizationProvider is initialized: with jdk.incubator.vector on JDK 22 and later
     * its native layer comes first, which is slower than the Vector API (0.83 times) and writes a library to the folder of
     * temporary files. The decision is logged through java.util.logging, which prints to the standard error of a host that has
     * configured nothing; so does SLF4J, which other classes of JVector use, when it finds no provider. So the native layer is
     * switched off and both are muted during this one initialization. Everything is restored afterwards, and values that the
     * host has set stay.
     */

    private static final String SLF4J_VERBOSITY = "slf4j.internal.verbosity";

    private static final String NATIVE = "jvector.enable_native_vectorization";
    private static final String NATIVE_BEFORE = "jvector.experimental.enable_native_vectorization";

    /** Makes JVector's vectors; its own functions are used for codes only. */
    static final VectorTypeSupport VECTORS = initialized();

    private JVectorRuntime() {}

    /** Initializes JVector; to be called before the first use of another of its classes. */
    static void initialize() {
        Objects.requireNonNull(VECTORS);
    }

    private static VectorTypeSupport initialized() {
        Logger logger = Logger.getLogger("io.github.jbellis.jvector");
        Level level = logger.getLevel();
        boolean verbose = System.getProperty(SLF4J_VERBOSITY) != null;
        boolean chosen = System.getProperty(NATIVE) != null || System.getProperty(NATIVE_BEFORE) != null;
        try {
            if (!chosen) {
                System.setProperty(NATIVE, "false");
            }
            if (!verbose) {
                System.setProperty(SLF4J_VERBOSITY, "ERROR");
            }
            LoggerFactory.getILoggerFactory();
            if (level == null) {
                logger.setLevel(Level.SEVERE);
            }
            return VectorizationProvider.getInstance().getVectorTypeSupport();
        } finally {
            if (!chosen) {
                System.clearProperty(NATIVE);
            }
            if (!verbose) {
                System.clearProperty(SLF4J_VERBOSITY);
            }
            logger.setLevel(level);
        }
    }
}
