package dev.pollux.internal.math;

/**
 * The order of a row's elements by magnitude, equal ones by index: a radix sort of the float bits, a byte at a time, from the
 * lowest; bytes that all elements share are passed over.
 */
public final class RowRanks {

    private final int length;
    private int[] keys;
    private int[] order;
    private int[] otherKeys;
    private int[] otherOrder;
    private final int[] starts = new int[257];

    public RowRanks(int length) {
        this.length = length;
        this.keys = new int[length];
        this.order = new int[length];
        this.otherKeys = new int[length];
        this.otherOrder = new int[length];
    }

    /**
     * The indices of the elements of a row in ascending order of magnitude.
     *
     * @param from where the row begins
     * @return (length), valid until the next call
     */
    public int[] order(float[] values, int from) {
        for (int i = 0; i < length; i++) {
            keys[i] = Float.floatToRawIntBits(values[from + i]) & 0x7fffffff;
            order[i] = i;
        }
        for (int shift = 0; shift < 32; shift += 8) {
            sort(shift);
        }
        return order;
    }

    private void sort(int shift) {
        java.util.Arrays.fill(starts, 0);
        for (int i = 0; i < length; i++) {
            starts[(keys[i] >>> shift & 0xff) + 1]++;
        }
        if (length == 0 || starts[(keys[0] >>> shift & 0xff) + 1] == length) {
            return;
        }
        for (int b = 0; b < 256; b++) {
            starts[b + 1] += starts[b];
        }
        for (int i = 0; i < length; i++) {
            int to = starts[keys[i] >>> shift & 0xff]++;
            otherKeys[to] = keys[i];
            otherOrder[to] = order[i];
        }
        int[] swap = keys;
        keys = otherKeys;
        otherKeys = swap;
        swap = order;
        order = otherOrder;
        otherOrder = swap;
    }
}
