package dev.pollux.rag.source;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads files in a child process, so that no file can exhaust the memory of this JVM, block it or end it.
 *
 * <p>One child reads the files of a source, one after another, with the {@link DocumentReader}s of the class path; Markdown, plain
 * text and source code are read here. A file that ends the child, exceeds its memory or takes too long is skipped with the
 * reason, and the next file is read by a new child. The child has no other input than the path of the file and ends with the
 * source. <em>Immutable.</em>
 */
public final class ReaderIsolation {

    /** A heap of 512 MiB and two minutes a file. */
    public static final ReaderIsolation DEFAULTS = builder().build();

    private static final long LEAST_HEAP = 32L << 20;

    private final long maxHeap;
    private final Duration timeout;
    private final String classPath;

    private ReaderIsolation(Builder from) {
        this.maxHeap = from.maxHeap;
        this.timeout = from.timeout;
        this.classPath = from.classPath == null ? ownClassPath() : from.classPath;
        if (maxHeap < LEAST_HEAP) {
            throw new IllegalArgumentException("maxHeap must be at least " + LEAST_HEAP + " but was " + maxHeap);
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be positive but was " + timeout);
        }
    }

    private static String ownClassPath() {
        List<String> paths = Stream.of("java.class.path", "jdk.module.path")
                .map(System::getProperty)
                .filter(Objects::nonNull)
                .filter(path -> !path.isEmpty())
                .toList();
        return String.join(System.getProperty("path.separator"), paths);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Maximum heap of the child in bytes, at least 32 MiB; default 512 MiB. */
    public long maxHeap() {
        return maxHeap;
    }

    /** Maximum time for a file; default two minutes. */
    public Duration timeout() {
        return timeout;
    }

    /**
     * The class path of the child, with this library and the readers; default that of this JVM. A host that is started from an
     * archive of archives, as with Spring Boot, must give one.
     */
    public String classPath() {
        return classPath;
    }

    /** The command that starts the child. */
    List<String> command() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + maxHeap,
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:+DisplayVMOutputToStderr", // it says so, which is no frame
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.awt.headless=true",
                "-cp",
                classPath,
                ReaderProcess.class.getName());
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReaderIsolation that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "ReaderIsolation[maxHeap=" + maxHeap + ", timeout=" + timeout + "]";
    }

    private List<Object> values() {
        return List.of(maxHeap, timeout, classPath);
    }

    /** Builds {@link ReaderIsolation}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private long maxHeap = 512L << 20;
        private Duration timeout = Duration.ofMinutes(2);
        private @Nullable String classPath;

        private Builder() {}

        /** See {@link ReaderIsolation#maxHeap()}. */
        public Builder maxHeap(long bytes) {
            this.maxHeap = bytes;
            return this;
        }

        /** See {@link ReaderIsolation#timeout()}. */
        public Builder timeout(Duration duration) {
            this.timeout = duration;
            return this;
        }

        /** See {@link ReaderIsolation#classPath()}. */
        public Builder classPath(String path) {
            this.classPath = path;
            return this;
        }

        /** The options. */
        public ReaderIsolation build() {
            return new ReaderIsolation(this);
        }
    }
}
