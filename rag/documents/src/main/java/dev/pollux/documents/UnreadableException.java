package dev.pollux.documents;

/** A file has no text that can be read. The message is a phrase that follows the file's name. */
final class UnreadableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnreadableException(String reason) {
        super(reason);
    }

    UnreadableException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
