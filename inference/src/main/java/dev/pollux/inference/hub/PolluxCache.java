package dev.pollux.inference.hub;

import dev.pollux.inference.internal.paths.CacheFolder;
import java.nio.file.Path;

/** The folder for data that Pollux can recreate: unpacked and exported models, and native libraries. */
public final class PolluxCache {

    private PolluxCache() {}

    /**
     * The cache folder: the system property {@code pollux.cache}, else the environment's {@code POLLUX_CACHE}, else
     * {@code pollux} in {@code XDG_CACHE_HOME} or in {@code .cache} of the user's home. It need not exist. In the
     * variables {@code ~} and {@code $NAME} are expanded.
     *
     * @throws dev.pollux.StorageException if no variable sets the folder and the user has no home folder
     */
    public static Path directory() {
        return CacheFolder.directory();
    }
}
