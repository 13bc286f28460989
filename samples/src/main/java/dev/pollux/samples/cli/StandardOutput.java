package dev.pollux.samples.cli;

import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;

/** Standard output that detects a closed pipe; a print stream would ignore it. */
final class StandardOutput extends OutputStream {

    /** Thrown when the reader of standard output has closed it: an end, not an error. */
    static final class ClosedException extends PolluxException {

        private static final long serialVersionUID = 1L;

        ClosedException(IOException cause) {
            super("No one reads the standard output any more", cause);
        }
    }

    private final OutputStream to;
    private boolean failed;

    StandardOutput(OutputStream to) {
        this.to = to;
    }

    @Override
    public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        attempt(() -> to.write(bytes, from, length));
    }

    @Override
    public void flush() {
        attempt(to::flush);
    }

    @Override
    public void close() {
        attempt(to::close);
    }

    @FunctionalInterface
    private interface Attempt {
        void run() throws IOException;
    }

    private void attempt(Attempt attempt) {
        if (failed) {
            return; // said once; what is flushed on the way out is of no use to anyone
        }
        try {
            attempt.run();
        } catch (IOException e) {
            failed = true;
            String reason = String.valueOf(e.getMessage());
            if (reason.toLowerCase(Locale.ROOT)
                    .contains("pipe")) { // "Broken pipe"; on Windows "The pipe is being closed"
                throw new ClosedException(e);
            }
            throw new StorageException("Cannot write the output: " + reason, e);
        }
    }
}
