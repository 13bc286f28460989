package dev.pollux.inference.engine;

import java.util.Arrays;

/** Finds where a text has contained its last tokens before. <em>Not thread-safe: one thread at a time.</em> */
final class DraftIndex {

    /*
     * Chains of positions with the same token, as in the LZ77 compressors: head by a hash of the token, then from each position
     * to the one before it with the same hash. A look-up follows at most TRIES links and compares at most LONGEST tokens at
     * each, so that it takes less than a microsecond at any length of the text.
     */

    private static final int TRIES = 16;
    private static final int LONGEST = 32;
    private static final int BUCKETS = 1 << 12;

    private final int[] heads = new int[BUCKETS]; // the last position of a hash, or -1
    private int[] previous = new int[256]; // (count and more), the position before with the same hash, or -1
    private int[] tokens = new int[256]; // (count and more)
    private int count;
    private int match; // the position of the last token's best match
    private int length; // of the match, in tokens

    DraftIndex() {
        Arrays.fill(heads, -1);
    }

    /** Adds a token to the text. */
    void add(int token) {
        if (count == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * count);
            previous = Arrays.copyOf(previous, 2 * count);
        }
        int bucket = bucket(token);
        tokens[count] = token;
        previous[count] = heads[bucket];
        heads[bucket] = count++;
    }

    /**
     * Finds the longest sequence that ends the text and has occurred before; of equally long ones, the latest.
     *
     * @return its length in tokens, 0 if the last token is new
     */
    int find() {
        length = 0;
        int last = count - 1;
        int at = count == 0 ? -1 : previous[last];
        for (int tries = 0; at >= 0 && tries < TRIES; tries++) {
            int same = 0;
            while (same <= at && same < LONGEST && tokens[at - same] == tokens[last - same]) {
                same++;
            }
            if (same > length) {
                length = same;
                match = at;
            }
            at = previous[at];
        }
        return length;
    }

    /**
     * The tokens after the match that {@link #find} found; where the text ends, they repeat.
     *
     * @param size at least 1
     */
    int[] following(int size) {
        int[] following = new int[size];
        int known = count - 1 - match; // tokens between the match and the end of the text
        for (int i = 0; i < size; i++) {
            following[i] = i < known ? tokens[match + 1 + i] : following[i - known];
        }
        return following;
    }

    private static int bucket(int token) {
        return (token * 0x9E3779B1) >>> 20;
    }
}
