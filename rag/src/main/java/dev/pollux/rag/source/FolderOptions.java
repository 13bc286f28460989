package dev.pollux.rag.source;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which files of a folder are documents. <em>Immutable.</em>
 *
 * @param name the source's name; absent: the folder's absolute path
 * @param extensions endings of file names without the dot, in lower case, compared without regard to case; default md,
 *     markdown and txt
 * @param maxFileBytes files larger than this are skipped, in [1, 2^30]; default 16 MiB
 */
public record FolderOptions(Optional<String> name, Set<String> extensions, int maxFileBytes) {

    /** Markdown and text files up to 16 MiB. */
    public static final FolderOptions DEFAULTS = builder().build();

    public FolderOptions {
        extensions = extensions.stream().map(e -> e.toLowerCase(Locale.ROOT)).collect(Collectors.toUnmodifiableSet());
        if (extensions.isEmpty() || extensions.stream().anyMatch(e -> e.isBlank() || e.startsWith("."))) {
            throw new IllegalArgumentException(
                    "extensions must be endings without a dot, such as md, but were " + extensions);
        }
        if (maxFileBytes < 1 || maxFileBytes > 1 << 30) {
            throw new IllegalArgumentException("maxFileBytes must be in [1, 2^30] but was " + maxFileBytes);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link FolderOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<String> name = Optional.empty();
        private Set<String> extensions = Set.of("md", "markdown", "txt");
        private int maxFileBytes = 16 << 20;

        private Builder() {}

        /** See {@link FolderOptions#name()}. */
        public Builder name(String name) {
            this.name = Optional.of(name);
            return this;
        }

        /** See {@link FolderOptions#extensions()}. */
        public Builder extensions(Set<String> extensions) {
            this.extensions = extensions;
            return this;
        }

        /** See {@link FolderOptions#maxFileBytes()}. */
        public Builder maxFileBytes(int maxFileBytes) {
            this.maxFileBytes = maxFileBytes;
            return this;
        }

        /** The options. */
        public FolderOptions build() {
            return new FolderOptions(name, extensions, maxFileBytes);
        }
    }
}
