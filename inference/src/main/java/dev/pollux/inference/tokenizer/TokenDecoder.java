package dev.pollux.inference.tokenizer;

import java.util.Arrays;

/**
 * Text from tokens, one at a time, never cutting a character.
 *
 * <p>The pieces joined, with {@link #flush()}, are what {@link Tokenizer#decode} gives for all tokens at once.
 * <em>Not thread-safe: one thread at a time.</em>
 */
public final class TokenDecoder {

    /*
     * A window of recent tokens is decoded instead of all: from `start`, where the previous piece began, so that what the
     * text of a token owes to its neighbour (a leading space, a character in several tokens) is seen; `known` is the text
     * of the window's tokens that were given out already. A window that gives nothing is cut after MAX_PENDING tokens (no
     * character has more than four), so that a step costs the same however long the stream is.
     */
    private static final char REPLACEMENT = '\uFFFD';
    private static final int MAX_PENDING = 64;

    private final Tokenizer tokenizer;
    private final boolean skipSpecialTokens;
    private int[] window = new int[16];
    private int count;
    private int given;
    private String known = "";

    TokenDecoder(Tokenizer tokenizer, boolean skipSpecialTokens) {
        this.tokenizer = tokenizer;
        this.skipSpecialTokens = skipSpecialTokens;
    }

    /** The text that token {@code id} completes; empty while a character is incomplete. */
    public String next(int id) {
        if (count == window.length) {
            window = Arrays.copyOf(window, count * 2);
        }
        window[count++] = id;
        String text = decode();
        boolean complete = text.length() > known.length() && text.charAt(text.length() - 1) != REPLACEMENT;
        if (!complete && count - given < MAX_PENDING) {
            return "";
        }
        String delta = text.substring(Math.min(known.length(), text.length()));
        slide();
        return delta;
    }

    /** What is left at the end: an incomplete character comes as U+FFFD. */
    public String flush() {
        String text = decode();
        String delta = text.length() > known.length() ? text.substring(known.length()) : "";
        count = 0;
        given = 0;
        known = "";
        return delta;
    }

    /** Forgets the tokens before the previous piece. */
    private void slide() {
        System.arraycopy(window, given, window, 0, count - given);
        count -= given;
        given = count;
        known = decode();
    }

    private String decode() {
        return tokenizer.decode(Arrays.copyOf(window, count), skipSpecialTokens);
    }
}
