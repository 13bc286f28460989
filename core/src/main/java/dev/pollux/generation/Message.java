package dev.pollux.generation;

import java.util.List;

/**
 * One turn of a conversation, made by a factory for its role. <em>Immutable.</em>
 *
 * <p>Content is text: what in it is spelled as a control token of a model is read as any other word. Tool calls are no
 * content but have a place of their own.
 *
 * @param role who speaks, as chat templates name it: {@code system}, {@code user}, {@code assistant}, {@code tool}; from the
 *     host, never from a user
 * @param content what is said
 * @param reasoning what the model thought before it said so ({@link Generation#reasoning()}); the chat template decides
 *     whether the model sees it again; default empty
 * @param calls of an assistant, the tools that it called; of a tool, the one call that this is the result of; default none
 */
public record Message(String role, String content, String reasoning, List<ToolCall> calls) {

    public Message {
        calls = List.copyOf(calls);
        if (role.isBlank()) {
            throw new IllegalArgumentException(
                    "role must not be blank but was '" + role + "'; use system, user, assistant or tool");
        }
    }

    /** A message without reasoning. */
    public Message(String role, String content) {
        this(role, content, "", List.of());
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
        return new Message("assistant", content, reasoning, List.of());
    }

    /** What the model said, thought and called: a turn as {@link Generation} has it. */
    public static Message assistant(Generation generation) {
        return new Message("assistant", generation.text(), generation.reasoning(), generation.calls());
    }

    /** The model's calls of tools, without a word. */
    public static Message calling(ToolCall... calls) {
        return new Message("assistant", "", "", List.of(calls));
    }

    /** What came of a call, for the model. */
    public static Message tool(ToolCall call, String result) {
        return new Message("tool", result, "", List.of(call));
    }
}
