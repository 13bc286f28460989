package dev.pollux.rag.source;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Selects the files of a folder that are documents. <em>Immutable.</em>
 *
 * <p>Patterns have the syntax of gitignore(5), are case-insensitive and relative to the folder: {@code *.md} at any depth,
 * {@code guides/*.md} in one folder, {@code guides/} a folder with its content, {@code **}{@code /old/**} below any folder
 * of that name, {@code !keep.md} an exception to the patterns before it.
 */
public final class FolderOptions {

    /** Markdown and text files up to 16 MiB that no {@code .gitignore} excludes. */
    public static final FolderOptions DEFAULTS = builder().build();

    private final Optional<String> name;
    private final List<String> include;
    private final List<String> exclude;
    private final boolean gitignore;
    private final int maxFileBytes;

    private final Optional<ReaderIsolation> isolation;

    private FolderOptions(Builder from) {
        this.name = from.name;
        this.include = List.copyOf(from.include);
        this.exclude = List.copyOf(from.exclude);
        this.gitignore = from.gitignore;
        this.maxFileBytes = from.maxFileBytes;
        this.isolation = from.isolation;
        checkPatterns("include", include);
        checkPatterns("exclude", exclude);
        if (maxFileBytes < 1 || maxFileBytes > 1 << 30) {
            throw new IllegalArgumentException("maxFileBytes must be in [1, 2^30] but was " + maxFileBytes);
        }
    }

    private static void checkPatterns(String option, List<String> patterns) {
        for (String pattern : patterns) {
            if (PathPattern.of(pattern).isEmpty()) {
                throw new IllegalArgumentException(
                        option + " must hold patterns of paths, such as *.md or guides/, but held '" + pattern + "'");
            }
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The source's name. If absent, the name derives from the folder's name and the path identifies the source. */
    public Optional<String> name() {
        return name;
    }

    /**
     * Patterns of the files to read; empty, the default, means all. If a pattern names a file or a file type, files of
     * unknown type that match are read as plain text.
     */
    public List<String> include() {
        return include;
    }

    /** Patterns of the files to exclude; default none. */
    public List<String> exclude() {
        return exclude;
    }

    /** The child process in which files with a {@link DocumentReader} are read; empty, the default: none. */
    public Optional<ReaderIsolation> isolation() {
        return isolation;
    }

    /** Whether {@code .gitignore} files exclude files; default true. */
    public boolean gitignore() {
        return gitignore;
    }

    /** Maximum size of a file in bytes; larger files are skipped. In [1, 2^30]; default 16 MiB. */
    public int maxFileBytes() {
        return maxFileBytes;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FolderOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "FolderOptions[name=" + name + ", include=" + include + ", exclude=" + exclude + ", gitignore="
                + gitignore + ", maxFileBytes=" + maxFileBytes + ", isolation="
                + isolation.map(Object::toString).orElse("none") + "]";
    }

    private List<Object> values() {
        return List.of(name, include, exclude, gitignore, maxFileBytes, isolation);
    }

    /** Builds {@link FolderOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<String> name = Optional.empty();
        private List<String> include = List.of();
        private List<String> exclude = List.of();
        private boolean gitignore = true;
        private int maxFileBytes = 16 << 20;
        private Optional<ReaderIsolation> isolation = Optional.empty();

        private Builder() {}

        /** See {@link FolderOptions#name()}. */
        public Builder name(String name) {
            this.name = Optional.of(name);
            return this;
        }

        /** See {@link FolderOptions#include()}. */
        public Builder include(List<String> include) {
            this.include = include;
            return this;
        }

        /** See {@link FolderOptions#exclude()}. */
        public Builder exclude(List<String> exclude) {
            this.exclude = exclude;
            return this;
        }

        /** See {@link FolderOptions#gitignore()}. */
        public Builder gitignore(boolean gitignore) {
            this.gitignore = gitignore;
            return this;
        }

        /** See {@link FolderOptions#maxFileBytes()}. */
        public Builder maxFileBytes(int maxFileBytes) {
            this.maxFileBytes = maxFileBytes;
            return this;
        }

        /** See {@link FolderOptions#isolation()}. */
        public Builder isolation(ReaderIsolation isolation) {
            this.isolation = Optional.of(isolation);
            return this;
        }

        /** The options. */
        public FolderOptions build() {
            return new FolderOptions(this);
        }
    }
}
