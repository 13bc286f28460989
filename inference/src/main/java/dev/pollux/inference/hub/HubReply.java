package dev.pollux.inference.hub;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Optional;

/**
 * A response, after redirects.
 *
 * @param linked the {@code X-} headers and the {@code ETag} of the hub itself, not of the storage it redirects to, by
 *     lower-case name
 * @param uri the address of the body
 * @param fromHub whether the body comes from the hub and not from a storage
 */
record HubReply(HttpResponse<BoundedBody> response, Map<String, String> linked, URI uri, boolean fromHub) {

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

    BoundedBody body() {
        return response.body();
    }
}
