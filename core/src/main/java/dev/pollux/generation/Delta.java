package dev.pollux.generation;

/**
 * A piece of a generation as it is written. <em>Immutable.</em>
 *
 * @param channel what it is for
 * @param text at least one character
 */
public record Delta(Channel channel, String text) {

    public Delta {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("text must not be empty");
        }
    }
}
