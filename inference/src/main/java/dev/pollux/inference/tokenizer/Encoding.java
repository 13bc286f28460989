package dev.pollux.inference.tokenizer;

import java.util.List;

/**
 * The tokens of a text or of a pair of texts, with their positions in the text. <em>Immutable, unless its arrays are
 * written.</em>
 *
 * @param ids (tokens)
 * @param tokens (tokens), as spelled in the vocabulary; for the unknown token, the text that it represents
 * @param typeIds (tokens), the segment of a token as the model numbers segments: 0 for a single text
 * @param sequences (tokens), 0 for a token of the first text, 1 for one of the second, −1 for an added special token
 * @param starts (tokens), index of the token's first code point in its text; 0 for an added special token
 * @param ends (tokens), index after the token's last code point
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
