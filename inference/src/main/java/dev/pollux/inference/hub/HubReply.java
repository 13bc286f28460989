package dev.pollux.inference.hub;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Optional;

/**
 * An answer, after redirects.
 *
 * @param linked what the hub itself, not the storage it leads to, said in its {@code X-} headers and {@code ETag}, by
 *     lower-case name
 * @param uri where the body comes from
 * @param fromHub whether that is the hub and not a storage
 */
record HubReply(HttpResponse<Body> response, Map<String, String> linked, URI uri, boolean fromHub) {

    int status() {
        return response.statusCode();
    }

    boolean isSuccess() {
        return status() >= 200 && status() < 300;
    }

    HttpHeaders headers() {
        return response.headers();
    }

    Optional<String> header(String name) {
        return headers().firstValue(name);
    }

    Body body() {
        return response.body();
    }
}
