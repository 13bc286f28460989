package dev.pollux.inference.tokenizer;

import java.util.Arrays;

/**
 * Decodes tokens one at a time without splitting a character.
 *
 * <p>The concatenated pieces, with {@link #flush()}, equal the result of {@link Tokenizer#decode} for all tokens. <em>Not
 * thread-safe: one thread at a time.</em>
 */
public final class TokenDecoder {

    /*
     * Only a window of recent tokens is decoded. It starts at `start`, the beginning of the previous piece, because the text of
     * a token depends on its neighbours (a leading space, a character in several tokens). `known` is the text of the window
     * that was already returned. A window without output is cut after MAX_PENDING tokens (no character has more than four), so
     * the cost of a step does not grow with the length of the stream.
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

    /** Adds a token and returns the text that it completes; empty while a character is incomplete. */
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

    /** The remaining text at the end. An incomplete character gives U+FFFD. */
    public String flush() {
        String text = decode();
        String delta = text.length() > known.length() ? text.substring(known.length()) : "";
        count = 0;
        given = 0;
        known = "";
        return delta;
    }

    /** Drops the tokens before the previous piece. */
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
