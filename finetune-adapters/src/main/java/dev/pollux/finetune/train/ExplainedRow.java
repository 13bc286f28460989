package dev.pollux.finetune.train;

import java.util.List;

/**
 * The tokens of a row, as a model in training reads them. <em>Immutable.</em>
 *
 * @param row its number in the file, from 1
 * @param tokens the tokens, up to the largest length
 * @param cut the number of tokens beyond the largest length
 */
public record ExplainedRow(long row, List<Token> tokens, int cut) {

    public ExplainedRow {
        tokens = List.copyOf(tokens);
    }

    /**
     * A token. <em>Immutable.</em>
     *
     * @param id in the vocabulary
     * @param text its text; a part of a character is shown as the replacement character
     * @param trained whether the model is trained to predict it
     */
    public record Token(int id, String text, boolean trained) {}

    /** The number of trained tokens. */
    public long trained() {
        return tokens.stream().filter(Token::trained).count();
    }
}
