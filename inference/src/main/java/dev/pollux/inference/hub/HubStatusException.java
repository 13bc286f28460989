package dev.pollux.inference.hub;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/** A server responded with an error status. */
final class HubStatusException extends IOException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;
    private final String retryAfter;
    private final boolean fromHub;

    HubStatusException(HubReply reply) {
        super("the server answered " + reply.status() + explanation(reply));
        this.status = reply.status();
        this.code = reply.linked().getOrDefault("x-error-code", "");
        this.fromHub = reply.fromHub();
        this.retryAfter = reply.header("Retry-After").orElse("");
    }

    private static String explanation(HubReply reply) {
        String message = reply.linked().getOrDefault("x-error-message", "");
        return message.isEmpty() ? "" : " (" + RepositoryPath.shown(message) + ")";
    }

    int status() {
        return status;
    }

    /** The error code of Hugging Face, such as {@code RevisionNotFound}; empty if there is none. */
    String code() {
        return code;
    }

    /** Whether the request needs other access rights. */
    boolean isDenial() {
        return fromHub && (status == 401 || status == 403);
    }

    /** Whether a retry may succeed; a storage, for example, rejects a signed address that has expired. */
    boolean isPassing() {
        return status == 403 && !fromHub || status == 408 || status == 425 || status == 429 || status >= 500;
    }

    /** The delay that the server requests before a retry. */
    Optional<Duration> retryAfter() {
        if (retryAfter.matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(retryAfter)));
        }
        try {
            Instant then = ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), then);
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }
}
