package dev.pollux.inference.internal.natives;

import java.nio.file.Path;

/** The folder that everything is written to which can be made again. */
public final class CacheFolder {

    private CacheFolder() {}

    /** The folder, as {@code PolluxCache.directory()} says; it need not exist. */
    public static Path directory() {
        String property = System.getProperty("pollux.cache");
        if (property != null) {
            return Path.of(property);
        }
        String variable = System.getenv("POLLUX_CACHE");
        if (variable != null) {
            return Path.of(variable);
        }
        String caches = System.getenv("XDG_CACHE_HOME");
        return caches != null
                ? Path.of(caches, "pollux")
                : Path.of(System.getProperty("user.home"), ".cache", "pollux");
    }
}
