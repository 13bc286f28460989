package dev.pollux.inference.hub;

import java.io.IOException;

/** The server cannot be reached: no network, an unknown host, or no answer to a connection. */
final class UnreachableException extends IOException {

    private static final long serialVersionUID = 1L;

    UnreachableException(String message, Throwable cause) {
        super(message, cause);
    }
}
