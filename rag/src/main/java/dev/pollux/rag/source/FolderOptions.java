package dev.pollux.rag.source;

import java.util.List;
import java.util.Optional;

/**
 * Which files of a folder are documents. <em>Immutable.</em>
 *
 * <p>Patterns are those of gitignore(5), compared without regard to case and relative to the folder: {@code *.md} at any
 * depth, {@code guides/*.md} in one folder, {@code guides/} a folder with all in it, {@code **}{@code /old/**} below any
 * folder of that name, {@code !keep.md} an exception to the patterns before it.
 *
 * @param name the source's name; absent: made of the folder's, and the folder's path says which source it is
 * @param include only what matches is read; empty, the default: everything. A file that one of them names or whose type
 *     it names is read also where its type is not known, as plain text
 * @param exclude what matches is not read; default none
 * @param gitignore whether files that {@code .gitignore} files leave out are not read; default true
 * @param maxFileBytes files larger than this are skipped, in [1, 2^30]; default 16 MiB
 */
public record FolderOptions(
        Optional<String> name, List<String> include, List<String> exclude, boolean gitignore, int maxFileBytes) {

    /** Markdown and text files up to 16 MiB that no {@code .gitignore} leaves out. */
    public static final FolderOptions DEFAULTS = builder().build();

    public FolderOptions {
        include = List.copyOf(include);
        exclude = List.copyOf(exclude);
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

    /** Builds {@link FolderOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<String> name = Optional.empty();
        private List<String> include = List.of();
        private List<String> exclude = List.of();
        private boolean gitignore = true;
        private int maxFileBytes = 16 << 20;

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

        /** The options. */
        public FolderOptions build() {
            return new FolderOptions(name, include, exclude, gitignore, maxFileBytes);
        }
    }
}
