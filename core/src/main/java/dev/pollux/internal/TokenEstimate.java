package dev.pollux.internal;

/** Estimates of token counts for models whose tokenizer is not known. <em>Stateless, thread-safe.</em> */
public final class TokenEstimate {

    /** A byte-pair encoding of English has about this many characters a token. */
    private static final int ASCII_A_TOKEN = 4;

    private TokenEstimate() {}

    /** One token for four ASCII characters or for one other character, rounded up. */
    public static int of(String text) {
        int ascii = (int) text.chars().filter(c -> c < 128).count();
        return text.codePointCount(0, text.length()) - ascii + (ascii + ASCII_A_TOKEN - 1) / ASCII_A_TOKEN;
    }
}
