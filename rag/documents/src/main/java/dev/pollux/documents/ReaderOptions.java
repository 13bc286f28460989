package dev.pollux.documents;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Limits for reading files, and passwords. A file that exceeds a limit is skipped with a reason. The limits are checked while a
 * file is read, so that a small file cannot expand to much memory. <em>Immutable.</em>
 */
public final class ReaderOptions {

    /** The default limits and no passwords. */
    public static final ReaderOptions DEFAULTS = builder().build();

    private final Builder values;

    private ReaderOptions(Builder values) {
        this.values = values;
        check("maxFileBytes", values.maxFileBytes, 1, Long.MAX_VALUE);
        check("maxInflatedBytes", values.maxInflatedBytes, 1, Long.MAX_VALUE);
        check("maxRatio", values.maxRatio, 1, 10_000);
        check("maxEntries", values.maxEntries, 1, 1 << 20);
        check("maxCharacters", values.maxCharacters, 1, 1 << 28);
        check("maxPages", values.maxPages, 1, 1 << 20);
        check("maxDepth", values.maxDepth, 1, 10_000);
        if (values.timeout.isNegative() || values.timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be positive but was " + values.timeout);
        }
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " must be in [" + least + ", " + most + "] but was " + value);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Maximum size of a file in bytes; at least 1; default 256 MiB. */
    public long maxFileBytes() {
        return values.maxFileBytes;
    }

    /** Maximum size of the unpacked entries of a file, in bytes; at least 1; default 512 MiB. */
    public long maxInflatedBytes() {
        return values.maxInflatedBytes;
    }

    /**
     * Maximum compression ratio of an entry, in [1, 10,000]; default 100. Entries that unpack to at most 4 MiB may have any
     * ratio.
     */
    public int maxRatio() {
        return values.maxRatio;
    }

    /** Maximum number of entries in an archive, in [1, 2^20]; default 10,000. */
    public int maxEntries() {
        return values.maxEntries;
    }

    /** Maximum length of the text of a file in UTF-16 units, in [1, 2^28]; default 2^24. */
    public int maxCharacters() {
        return values.maxCharacters;
    }

    /** Maximum number of pages or slides, in [1, 2^20]; default 10,000. */
    public int maxPages() {
        return values.maxPages;
    }

    /** Maximum depth of nested elements and of messages in messages, in [1, 10,000]; default 256. */
    public int maxDepth() {
        return values.maxDepth;
    }

    /** Maximum time for a file; positive; default 60 seconds. */
    public Duration timeout() {
        return values.timeout;
    }

    /** Passwords to try on encrypted PDF files; default none. */
    public List<String> passwords() {
        return values.passwords;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReaderOptions that && list().equals(that.list());
    }

    @Override
    public int hashCode() {
        return list().hashCode();
    }

    /** The limits, without the passwords. */
    @Override
    public String toString() {
        return "ReaderOptions" + list().subList(0, list().size() - 1);
    }

    private List<Object> list() {
        return List.of(
                values.maxFileBytes,
                values.maxInflatedBytes,
                values.maxRatio,
                values.maxEntries,
                values.maxCharacters,
                values.maxPages,
                values.maxDepth,
                values.timeout,
                values.passwords);
    }

    /** Builds {@link ReaderOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private long maxFileBytes = 256L << 20;
        private long maxInflatedBytes = 512L << 20;
        private int maxRatio = 100;
        private int maxEntries = 10_000;
        private int maxCharacters = 1 << 24;
        private int maxPages = 10_000;
        private int maxDepth = 256;
        private Duration timeout = Duration.ofSeconds(60);
        private List<String> passwords = List.of();

        private Builder() {}

        private Builder(Builder other) {
            maxFileBytes = other.maxFileBytes;
            maxInflatedBytes = other.maxInflatedBytes;
            maxRatio = other.maxRatio;
            maxEntries = other.maxEntries;
            maxCharacters = other.maxCharacters;
            maxPages = other.maxPages;
            maxDepth = other.maxDepth;
            timeout = other.timeout;
            passwords = other.passwords;
        }

        /** See {@link ReaderOptions#maxFileBytes()}. */
        public Builder maxFileBytes(long bytes) {
            this.maxFileBytes = bytes;
            return this;
        }

        /** See {@link ReaderOptions#maxInflatedBytes()}. */
        public Builder maxInflatedBytes(long bytes) {
            this.maxInflatedBytes = bytes;
            return this;
        }

        /** See {@link ReaderOptions#maxRatio()}. */
        public Builder maxRatio(int ratio) {
            this.maxRatio = ratio;
            return this;
        }

        /** See {@link ReaderOptions#maxEntries()}. */
        public Builder maxEntries(int entries) {
            this.maxEntries = entries;
            return this;
        }

        /** See {@link ReaderOptions#maxCharacters()}. */
        public Builder maxCharacters(int characters) {
            this.maxCharacters = characters;
            return this;
        }

        /** See {@link ReaderOptions#maxPages()}. */
        public Builder maxPages(int pages) {
            this.maxPages = pages;
            return this;
        }

        /** See {@link ReaderOptions#maxDepth()}. */
        public Builder maxDepth(int depth) {
            this.maxDepth = depth;
            return this;
        }

        /** See {@link ReaderOptions#timeout()}. */
        public Builder timeout(Duration duration) {
            this.timeout = duration;
            return this;
        }

        /** See {@link ReaderOptions#passwords()}. */
        public Builder passwords(List<String> given) {
            this.passwords = List.copyOf(given);
            return this;
        }

        /** The options. */
        public ReaderOptions build() {
            return new ReaderOptions(new Builder(this));
        }
    }
}
