package dev.pollux.inference.tokenizer;

import java.util.List;

/**
 * The tokens of a text or of a pair of texts, with where they come from. <em>Immutable, unless its arrays are written.</em>
 *
 * @param ids (tokens)
 * @param tokens (tokens), as they stand in the vocabulary; where the token is the unknown one, the text it stands for
 * @param typeIds (tokens), which part a token belongs to as the model counts them: 0 for a single text
 * @param sequences (tokens), 0 for a token of the first text, 1 for one of the second, −1 for a special token put around
 * @param starts (tokens), the first code point of the token in its text; 0 for a special token put around
 * @param ends (tokens), one past the last code point
 */
public record Encoding(int[] ids, List<String> tokens, int[] typeIds, int[] sequences, int[] starts, int[] ends) {

    public Encoding {
        tokens = List.copyOf(tokens);
    }

    /** The number of tokens. */
    public int size() {
        return ids.length;
    }
}
