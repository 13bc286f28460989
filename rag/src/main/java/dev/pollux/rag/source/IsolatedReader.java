package dev.pollux.rag.source;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads files by the {@link ReaderProcess} of a source. <em>Confined to one thread.</em> */
final class IsolatedReader implements AutoCloseable {

    /*
     * The child is started for the first file and again after it was lost. No thread waits for it: reads from its pipe are
     * preceded by a look at what is there, so a deadline and an interrupt end them.
     */

    private static final Duration START = Duration.ofSeconds(60);
    private static final int OUT_OF_MEMORY = 3; // exit code of -XX:+ExitOnOutOfMemoryError
    private static final long EXIT_MILLIS = 1_000;
    private static final Set<String> ENVIRONMENT =
            Set.of("SystemRoot", "TEMP", "TMP", "TMPDIR", "HOME", "LANG", "LC_ALL", "LC_CTYPE");

    private final ReaderIsolation options;
    private @Nullable Child child;

    IsolatedReader(ReaderIsolation options) {
        this.options = options;
    }

    /**
     * The reader of a file type, in the child.
     *
     * @throws StorageException if there is no child and none can be started
     */
    DocumentReader of(DocumentReader reader) {
        if (child != null && !child.process.isAlive()) {
            lose(); // after the file before
        }
        Child started = child == null ? start() : child;
        child = started;
        return new DocumentReader() {
            @Override
            public Map<String, String> kinds() {
                return reader.kinds();
            }

            @Override
            public String recipe() {
                return reader.recipe();
            }

            @Override
            public void read(SourceFile file, DocumentSink sink) {
                IsolatedReader.this.read(started, file, sink);
            }
        };
    }

    private void read(Child open, SourceFile file, DocumentSink sink) {
        try {
            open.input.deadline(options.timeout());
            ReaderFrames.text(open.out, file.file().toString());
            ReaderFrames.text(open.out, file.id());
            ReaderFrames.text(open.out, file.path());
            open.out.flush();
            ReaderFrames.pass(open.in, sink);
        } catch (IOException | IllegalArgumentException e) { // the latter of a place or location that cannot be
            String reason = reason(open, e);
            lose();
            throw new MalformedFileException(reason, e);
        } catch (RuntimeException e) {
            lose();
            throw e;
        }
    }

    /** The reason why a child was lost with a file. */
    private String reason(Child lost, Exception e) {
        if (e instanceof LateException) {
            return "it takes longer than " + options.timeout().toSeconds() + " s";
        }
        boolean wrong = e instanceof ReaderFrames.MalformedFrameException || e instanceof IllegalArgumentException;
        if (wrong) {
            return "the process that reads it answers wrongly";
        }
        int code = lost.exitCode();
        return code == OUT_OF_MEMORY
                ? "it needs more memory than the " + (options.maxHeap() >> 20) + " MiB of the process that reads it"
                : "it ends the process that reads it (exit code " + code + ")";
    }

    private Child start() {
        try {
            ProcessBuilder command =
                    new ProcessBuilder(options.command()).redirectError(ProcessBuilder.Redirect.DISCARD);
            command.environment().keySet().retainAll(ENVIRONMENT);
            Child started = new Child(command.start());
            try {
                started.input.deadline(START);
                if (started.in.readInt() == ReaderFrames.HELLO) {
                    return started;
                }
                throw new IOException("it is another program");
            } catch (IOException | RuntimeException e) {
                started.close();
                throw e;
            }
        } catch (IOException e) {
            throw new StorageException(
                    "The process that reads documents cannot be started from the class path " + options.classPath()
                            + "; give ReaderIsolation a class path with pollux-rag and its readers, or read without one",
                    e);
        }
    }

    private void lose() {
        Child lost = child;
        child = null;
        if (lost != null) {
            lost.close();
        }
    }

    /** Ends the child. */
    @Override
    public void close() {
        lose();
    }

    /** No answer before the deadline. */
    private static final class LateException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** A running child. */
    private static final class Child {
        private final Process process;
        private final OpenHandle handle;
        final Patient input;
        final DataInputStream in;
        final DataOutputStream out;

        Child(Process process) {
            this.process = process;
            this.handle = OpenHandle.of("ReaderProcess " + process.pid());
            this.input = new Patient(process);
            this.in = new DataInputStream(new BufferedInputStream(input, 1 << 16));
            this.out = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
        }

        int exitCode() {
            try {
                return process.waitFor(EXIT_MILLIS, TimeUnit.MILLISECONDS) ? process.exitValue() : -1;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return -1;
            }
        }

        void close() {
            process.destroyForcibly();
            handle.close();
        }
    }

    /** The output of a child, read without waiting longer than a deadline. */
    private static final class Patient extends InputStream {

        private static final long SHORTEST_MILLIS = 1;
        private static final long LONGEST_MILLIS = 16;
        private static final long MOST_BYTES = 1 << 27; // of an answer

        private final Process process;
        private final InputStream in;
        private long deadline;
        private long read; // bytes since the deadline was set

        Patient(Process process) {
            this.process = process;
            this.in = process.getInputStream();
        }

        void deadline(Duration wait) {
            deadline = System.nanoTime() + wait.toNanos();
            read = 0;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int from, int most) throws IOException {
            long pause = SHORTEST_MILLIS;
            while (in.available() == 0) {
                if (!process.isAlive() && in.available() == 0) {
                    return -1;
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new LateException();
                }
                pause(pause);
                pause = Math.min(LONGEST_MILLIS, 2 * pause);
            }
            int count = in.read(to, from, Math.min(most, in.available()));
            read += Math.max(0, count);
            if (read > MOST_BYTES) {
                throw new ReaderFrames.MalformedFrameException("an answer has more than " + MOST_BYTES + " bytes");
            }
            return count;
        }

        private static void pause(long millis) {
            try {
                Thread.sleep(millis);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw Interrupts.cancelled(e);
            }
        }
    }
}
