package dev.pollux.inference.hub;

import java.io.IOException;

/** There is no way to the server: no network, no such host, no answer to a connection. */
final class UnreachableException extends IOException {

    private static final long serialVersionUID = 1L;

    UnreachableException(String message, Throwable cause) {
        super(message, cause);
    }
}
