package dev.pollux;

/** Reading or writing failed for a reason outside the file's content: check the path, the permissions and the free space. <em>Immutable.</em> */
public final class StorageException extends PolluxException {

    private static final long serialVersionUID = 1L;

    /** With a message in the form <em>what, value, rule, remedy</em>. */
    public StorageException(String message) {
        super(message);
    }

    /** With a message in the form <em>what, value, rule, remedy</em>, and what lies behind it. */
    public StorageException(String message, Throwable cause) {
        super(message, cause);
    }
}
