package dev.pollux.generation;

/**
 * One turn of a conversation. <em>Immutable.</em>
 *
 * <p>Content is text: what in it is spelled as a control token of a model is read as any other word.
 *
 * @param role who speaks, as chat templates name it: {@code system}, {@code user}, {@code assistant}, {@code tool}; from the
 *     host, never from a user
 * @param content what is said
 * @param reasoning what the model thought before it said so ({@link Generation#reasoning()}); the chat template decides
 *     whether the model sees it again; default empty
 */
public record Message(String role, String content, String reasoning) {

    public Message {
        if (role.isBlank()) {
            throw new IllegalArgumentException(
                    "role must not be blank but was '" + role + "'; use system, user, assistant or tool");
        }
    }

    /** A message without reasoning. */
    public Message(String role, String content) {
        this(role, content, "");
    }

    /** An instruction that holds for the whole conversation. */
    public static Message system(String content) {
        return new Message("system", content);
    }

    /** What the user says. */
    public static Message user(String content) {
        return new Message("user", content);
    }

    /** What the model said. */
    public static Message assistant(String content) {
        return new Message("assistant", content);
    }

    /** What the model said and what it thought before. */
    public static Message assistant(String content, String reasoning) {
        return new Message("assistant", content, reasoning);
    }
}
