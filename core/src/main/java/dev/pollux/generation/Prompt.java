package dev.pollux.generation;

import java.util.List;

/**
 * What a {@link Generator} continues: plain text, or a conversation that its chat template renders. Control tokens in a
 * conversation are those of the template alone; the content of a message never becomes one.
 */
public sealed interface Prompt {

    /**
     * Text that is tokenized as it is, with the special tokens the tokenizer adds by itself: what in it is spelled as a
     * control token becomes one. For text that holds words of users or documents there is {@link #literal}.
     */
    static Prompt text(String text) {
        return new Text(text, false);
    }

    /** Text as {@link #text} takes it, but no part of it becomes a control token. */
    static Prompt literal(String text) {
        return new Text(text, true);
    }

    /** A conversation whose next turn is the assistant's. */
    static Prompt chat(List<Message> messages) {
        return chat(messages, List.of());
    }

    /** A conversation whose next turn is the assistant's, who may call tools. */
    static Prompt chat(List<Message> messages, List<Tool> tools) {
        return new Chat(messages, tools);
    }

    /** A conversation whose next turn is the assistant's. */
    static Prompt chat(Message... messages) {
        return chat(List.of(messages));
    }

    /**
     * A raw prompt. <em>Immutable.</em>
     *
     * @param text what the model goes on with
     * @param literal whether spellings of control tokens in it are read as plain text
     */
    record Text(String text, boolean literal) implements Prompt {}

    /**
     * A conversation. <em>Immutable.</em>
     *
     * @param messages at least one
     * @param tools what the assistant may call; mostly none
     */
    record Chat(List<Message> messages, List<Tool> tools) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("messages must hold at least one message but was empty");
            }
        }
    }
}
