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
        return new Chat(messages);
    }

    /** A conversation whose next turn is the assistant's. */
    static Prompt chat(Message... messages) {
        return new Chat(List.of(messages));
    }

    /**
     * A raw prompt. <em>Immutable.</em>
     *
     * @param text what the model goes on with
     * @param literal whether spellings of control tokens in it are read as plain text
     */
    record Text(String text, boolean literal) implements Prompt {}

    /** A conversation of at least one message. <em>Immutable.</em> */
    record Chat(List<Message> messages) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("messages must hold at least one message but was empty");
            }
        }
    }
}
