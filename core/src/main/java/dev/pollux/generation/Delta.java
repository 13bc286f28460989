package dev.pollux.generation;

/**
 * A piece of a generation as it is written: text of a channel, or a whole tool call. <em>Immutable.</em>
 *
 * <p>Further kinds may follow; what reads {@link #text(Channel)} passes over those that it does not know.
 */
public sealed interface Delta {

    /** The text that this adds to a channel; empty where it adds none. */
    String text(Channel channel);

    /** A piece of text. */
    static Delta of(Channel channel, String text) {
        return new Text(channel, text);
    }

    /**
     * A piece of text.
     *
     * @param channel what it is for
     * @param text at least one character
     */
    record Text(Channel channel, String text) implements Delta {

        public Text {
            if (text.isEmpty()) {
                throw new IllegalArgumentException("text must not be empty");
            }
        }

        @Override
        public String text(Channel other) {
            return other == channel ? text : "";
        }
    }

    /**
     * A tool call. It is given when it is complete; one that was cut is not given.
     *
     * @param call next in {@link Generation#calls()}
     */
    record Call(ToolCall call) implements Delta {

        @Override
        public String text(Channel channel) {
            return "";
        }
    }
}
