package dev.pollux.documents;

import dev.pollux.internal.Interrupts;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.function.LongUnaryOperator;

/** Enforces the limits of {@link ReaderOptions} while one file is read. <em>Confined to one thread.</em> */
final class Guard {

    private static final int CHECK_EVERY = 256;
    private static final double MIB = 1 << 20;

    /** Data of up to so many bytes may have any ratio. */
    private static final long SMALL = 4L << 20;

    private final ReaderOptions options;
    private final long end;
    private int steps;
    private long inflated;

    Guard(ReaderOptions options) {
        this.options = options;
        this.end = System.nanoTime() + options.timeout().toNanos();
    }

    ReaderOptions options() {
        return options;
    }

    /** Called in every loop of a reader; cheap. */
    void step() {
        if (++steps % CHECK_EVERY == 0) {
            checkTime();
        }
    }

    /** Throws if the time is over or the thread is interrupted. */
    void checkTime() {
        Interrupts.check();
        if (System.nanoTime() - end > 0) {
            throw new UnreadableException(
                    "takes longer to read than " + options.timeout().toSeconds() + " seconds");
        }
    }

    void checkDepth(int depth) {
        if (depth > options.maxDepth()) {
            throw new UnreadableException("has elements nested more than " + options.maxDepth() + " deep");
        }
    }

    void checkCharacters(int characters) {
        if (characters > options.maxCharacters()) {
            throw new UnreadableException("has more than " + options.maxCharacters() + " characters of text");
        }
    }

    void checkPages(int pages) {
        if (pages > options.maxPages()) {
            throw new UnreadableException("has " + pages + " pages, more than " + options.maxPages());
        }
    }

    /** Checks the sizes that an archive declares for an entry, in bytes, before it is unpacked; a negative one is unknown. */
    void checkEntry(long packed, long unpacked) {
        if (unpacked > options.maxInflatedBytes()) {
            throw tooLarge();
        }
        if (packed >= 0 && unpacked > SMALL && unpacked / Math.max(1, packed) > options.maxRatio()) {
            throw tooDense();
        }
    }

    private UnreadableException tooLarge() {
        return new UnreadableException(
                String.format(Locale.ROOT, "unpacks to more than %.0f MiB", options.maxInflatedBytes() / MIB));
    }

    private UnreadableException tooDense() {
        return new UnreadableException("has an entry packed more than " + options.maxRatio()
                + " : 1, as files that are meant to exhaust memory have");
    }

    /**
     * A stream of unpacked data that ends with an error where it exceeds a limit.
     *
     * @param packed the size of the packed data in bytes; negative if unknown
     */
    InputStream inflating(InputStream in, long packed) {
        LongUnaryOperator count = bytes -> {
            inflated += bytes;
            return inflated;
        };
        return new Inflating(in, packed, count);
    }

    /** Counts the bytes of a stream. */
    private final class Inflating extends FilterInputStream {

        private final long packed;
        private final LongUnaryOperator total;
        private long bytes;

        Inflating(InputStream in, long packed, LongUnaryOperator total) {
            super(in);
            this.packed = packed;
            this.total = total;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int read = super.read(buffer, from, length);
            count(Math.max(0, read));
            return read;
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        private void count(int read) {
            bytes += read;
            checkTime();
            if (total.applyAsLong(read) > options.maxInflatedBytes()) {
                throw tooLarge();
            }
            if (packed >= 0 && bytes > SMALL && bytes / Math.max(1, packed) > options.maxRatio()) {
                throw tooDense();
            }
        }
    }
}
