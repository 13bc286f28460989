package dev.pollux.generation;

import java.util.List;

/** What a {@link Generator} continues: plain text, or a conversation that its chat template renders. */
public sealed interface Prompt {

    /** Text that is tokenized as it is, with the special tokens the tokenizer adds by itself. */
    static Prompt text(String text) {
        return new Text(text);
    }

    /** A conversation whose next turn is the assistant's. */
    static Prompt chat(List<Message> messages) {
        return new Chat(messages);
    }

    /** A conversation whose next turn is the assistant's. */
    static Prompt chat(Message... messages) {
        return new Chat(List.of(messages));
    }

    /** A raw prompt. <em>Immutable.</em> */
    record Text(String text) implements Prompt {}

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
