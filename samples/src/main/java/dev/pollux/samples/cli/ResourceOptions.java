package dev.pollux.samples.cli;

import dev.pollux.inference.hub.PolluxCache;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the machine's resources. */
final class ResourceOptions {

    @Option(
            names = "--threads",
            order = 80,
            paramLabel = "N",
            description = "Threads that compute. Default: the processors there are.")
    private @Nullable Integer threads;

    @Option(
            names = "--cache",
            order = 81,
            paramLabel = "FOLDER",
            description = "Where models, knowledge bases and native libraries are kept that can be made again. Default:"
                    + " POLLUX_CACHE, else pollux in XDG_CACHE_HOME or ~/.cache.")
    private @Nullable Path cache;

    int threads() {
        return threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    }

    Path cache() {
        Path folder = cache == null ? PolluxCache.directory() : cache;
        GivenPath.folder(cache == null ? "POLLUX_CACHE" : "--cache", folder);
        return folder;
    }
}
