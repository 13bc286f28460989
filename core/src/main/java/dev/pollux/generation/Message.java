package dev.pollux.generation;

/**
 * One turn of a conversation. <em>Immutable.</em>
 *
 * @param role who speaks, as chat templates name it: {@code system}, {@code user}, {@code assistant}, {@code tool}
 * @param content what is said
 */
public record Message(String role, String content) {

    public Message {
        if (role.isBlank()) {
            throw new IllegalArgumentException(
                    "role must not be blank but was '" + role + "'; use system, user, assistant or tool");
        }
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
}
