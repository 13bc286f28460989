package dev.pollux.inference.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a {@link ModelHub} was built with. <em>Immutable.</em> */
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
        Surroundings surroundings) {

    /** Names no token, so that it reaches no log. */
    @Override
    public String toString() {
        return "HubSettings[endpoint=" + endpoint + ", token=" + (token == null ? "none" : "given") + ", cache=" + cache
                + ", offline=" + offline + "]";
    }
}
