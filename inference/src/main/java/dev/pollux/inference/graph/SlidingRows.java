package dev.pollux.inference.graph;

/**
 * Which positions the keys and values of a layer with a sliding window keep. <em>Immutable.</em>
 *
 * @param capacity the number of rows of the buffer of a sequence
 */
public record SlidingRows(int capacity) {

    /*
     * A buffer has the rows of the positions [first, length). Before a step after `past` positions, the rows before first(past) are
     * dropped and the others move to the beginning of the buffer:
     *
     *   first(past) = 0                                  for past < kept
     *               = (past − kept) / STEP · STEP        else
     *
     * so that at least `kept` positions before the step remain: the window, and SLACK more, by which a sequence can go back after
     * rows were dropped. A step must not pass end(past), at which the next rows are dropped.
     *
     * first() depends on the position alone, so a position is computed from the same rows however a text is divided into steps.
     * The attention operator adds up the rows in blocks that begin at the start of the buffer. Where STEP is a multiple of
     * their size, dropped rows change no bit: at 512, for heads of a width of 64 and above and 1 MB of second-level cache.
     */

    private static final int STEP = 512;
    private static final int SLACK = 64;
    private static final int ROUND = 256;

    /** For a filler at the end of a buffer, and a step that begins at an odd position. */
    private static final int SPARE = 8;

    /** The rows for a window of {@code window} positions, the current one included. */
    public static SlidingRows of(int window) {
        return new SlidingRows((window + SLACK + ROUND - 1) / ROUND * ROUND + STEP + SPARE);
    }

    /** Whether a buffer of {@code rows} rows is that of a window. */
    public static boolean isCapacity(int rows) {
        return rows >= ROUND + STEP + SPARE && (rows - STEP - SPARE) % ROUND == 0;
    }

    /** @throws IllegalArgumentException if the capacity is that of no window */
    public SlidingRows {
        if (!isCapacity(capacity)) {
            throw new IllegalArgumentException("capacity must be a multiple of " + ROUND + " plus " + (STEP + SPARE)
                    + ", at least " + (ROUND + STEP + SPARE) + ", but was " + capacity);
        }
    }

    private int kept() {
        return capacity - STEP - SPARE;
    }

    /** The first position that a step after {@code past} positions sees. */
    public int first(int past) {
        return past < kept() ? 0 : (past - kept()) / STEP * STEP;
    }

    /** The position at which a step after {@code past} positions must end at the latest. */
    public int end(int past) {
        return first(past) + kept() + STEP;
    }

    /** Whether the positions from {@code first} on suffice for a step after {@code past} positions. */
    public boolean suffice(int first, int past) {
        return first == 0 || past - first >= kept() - SLACK;
    }
}
