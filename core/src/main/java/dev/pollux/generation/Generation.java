package dev.pollux.generation;

import java.util.List;

/**
 * A finished generation. <em>Immutable.</em>
 *
 * @param text everything produced, without end token and stop string
 * @param tokens the ids produced, an end token included
 * @param finish why it ended
 * @param usage counts and times
 */
public record Generation(String text, List<Integer> tokens, FinishReason finish, Usage usage) {

    public Generation {
        tokens = List.copyOf(tokens);
    }
}
