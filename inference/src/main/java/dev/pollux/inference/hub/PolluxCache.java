package dev.pollux.inference.hub;

import java.nio.file.Path;

/** Where Pollux keeps what it can make again: unpacked and exported models. */
public final class PolluxCache {

    private PolluxCache() {}

    /**
     * The cache folder: the system property {@code pollux.cache}, else the environment's {@code POLLUX_CACHE}, else
     * {@code pollux} in {@code XDG_CACHE_HOME} or in {@code .cache} of the user's home. It need not exist.
     */
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
