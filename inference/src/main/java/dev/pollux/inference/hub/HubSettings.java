package dev.pollux.inference.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link ModelHub}. <em>Immutable.</em> */
record HubSettings(
        URI endpoint,
        @Nullable String token,
        Path cache,
        boolean offline,
        int parallelRanges,
        int rangeBytes,
        int retries,
        Duration connectTimeout,
        Duration readTimeout,
        FileSystemAndClock surroundings) {

    /** Omits the token, so that it does not appear in logs. */
    @Override
    public String toString() {
        return "HubSettings[endpoint=" + endpoint + ", token=" + (token == null ? "none" : "given") + ", cache=" + cache
                + ", offline=" + offline + "]";
    }
}
