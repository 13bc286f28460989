package dev.pollux.inference.internal.paths;

import java.nio.file.Path;

/** The cache folder, for files that can be recreated. */
public final class CacheFolder {

    private CacheFolder() {}

    /** The folder of {@code PolluxCache.directory()}; it need not exist. */
    public static Path directory() {
        String property = System.getProperty("pollux.cache");
        if (property != null) {
            return Path.of(property);
        }
        EnvironmentPaths paths = EnvironmentPaths.system();
        return paths.folder("POLLUX_CACHE")
                .orElseGet(() -> paths.folder("XDG_CACHE_HOME")
                        .orElseGet(() -> paths.home().resolve(".cache"))
                        .resolve("pollux"));
    }
}
