package dev.pollux.inference.sampling;

import dev.pollux.generation.Dry;
import java.util.BitSet;
import java.util.function.IntFunction;

/** The penalty of {@link Dry}. <em>Not thread-safe: one thread at a time.</em> */
final class DryPenalty {

    /*
     * Read backwards, the text is a string, and the length of the sequence that ends at each earlier position and at the end of
     * the text alike is the Z function of that string, computed in linear time (Gusfield, Algorithms on Strings, 1.4). A
     * sequence does not reach back across a breaker of the last tokens. The longest sequence before a token decides.
     */

    private final Dry dry;
    private final IntFunction<String> texts; // of token ids
    private final BitSet known = new BitSet(); // tokens whose text was looked at
    private final BitSet breakers = new BitSet();
    private int[] lengths = {}; // (range and more), the Z function
    private int[] longest = {}; // (vocabulary), before each token; 0 where none is

    DryPenalty(Dry dry, IntFunction<String> texts) {
        this.dry = dry;
        this.texts = texts;
    }

    /** Reduces the logits of the tokens that continue a repeated sequence. */
    void apply(TokenHistory history, float[] logits) {
        int size = Math.min(history.size(), dry.range());
        int limit = lengthWithoutBreaker(history, size);
        if (size < 2 || limit < dry.allowedLength()) {
            return;
        }
        if (longest.length < logits.length) {
            longest = new int[logits.length];
        }
        compare(history, size);
        int newest = history.size() - 1;
        for (int back = 1; back < size; back++) {
            int length = Math.min(lengths[back], limit);
            int next = history.token(newest - back + 1);
            longest[next] = Math.max(longest[next], length);
        }
        for (int back = 1; back < size; back++) {
            int next = history.token(newest - back + 1);
            if (longest[next] >= dry.allowedLength()) {
                logits[next] -=
                        (float) (dry.multiplier() * StrictMath.pow(dry.base(), longest[next] - dry.allowedLength()));
            }
            longest[next] = 0;
        }
    }

    private void compare(TokenHistory history, int size) {
        if (lengths.length < size) {
            lengths = new int[Math.max(size, 2 * lengths.length)];
        }
        int newest = history.size() - 1;
        int from = 0; // the match that reaches furthest back covers [from, to)
        int to = 0;
        for (int back = 1; back < size; back++) {
            int length = back < to ? Math.min(lengths[back - from], to - back) : 0;
            while (back + length < size && history.token(newest - length) == history.token(newest - back - length)) {
                length++;
            }
            lengths[back] = length;
            if (back + length > to) {
                from = back;
                to = back + length;
            }
        }
    }

    private int lengthWithoutBreaker(TokenHistory history, int size) {
        int length = 0;
        while (length < size && !isBreaker(history.token(history.size() - 1 - length))) {
            length++;
        }
        return length;
    }

    private boolean isBreaker(int token) {
        if (!known.get(token)) {
            known.set(token);
            String text = texts.apply(token);
            breakers.set(token, dry.breakers().stream().anyMatch(text::contains));
        }
        return breakers.get(token);
    }
}
