package dev.pollux.inference.internal.block;

import java.util.function.IntToDoubleFunction;

/**
 * The columns of a matrix with minima that follow those of its codes. <em>Immutable.</em>
 *
 * @param sums the number n of blocks in a row
 */
public record MinimumColumns(int sums) {

    /*
     * An element of a block is (code − 8) · scale + middle, where middle = minimum + 8 · scale. So a row's product with x is
     *
     *     Σ (code − 8) · scale · x  +  Σ over blocks of middle · (the sum of x in the block).
     *
     * The second sum is a product with n further columns: x is followed by the mean of each of its blocks, and a column has 32
     * times the middle, since a mean is a sum divided by 32. One operator computes both sums, at the speed of plain 4-bit
     * codes; a second product costs a tenth more.
     *
     * The columns have codes of 4 bits, too. A middle is the sum of two: a coarse one, and a fine one for the rest of rounding.
     * Both have scales of their own, as blocks of different columns. So x is followed by the n means several times:
     *
     *     x (columns) | coarse (n) | unused up to a multiple of 32 | fine (n) | unused
     *
     * and column i of these multiplies mean i mod n. A middle errs by at most 1/64 of the largest of 32, mostly by less than
     * 1/256. It is small, about a step, where codes are balanced around 8, unlike the minimum of about −8 steps. Therefore the
     * rounding of the means to int8 in the operator costs little, too.
     */

    /** The number of elements of a block. */
    public static final int BLOCK = 32;

    /** The columns for a matrix of {@code columns}, a multiple of 32. */
    public static MinimumColumns of(int columns) {
        return new MinimumColumns(columns / BLOCK);
    }

    /** How often the means follow x. */
    public int copies() {
        return (fineAt() + sums + sums - 1) / sums;
    }

    /** The number of columns. */
    public int columns() {
        return copies() * sums;
    }

    private int fineAt() {
        return (sums + BLOCK - 1) / BLOCK * BLOCK;
    }

    /** The elements of the coarse columns, up to the fine ones. */
    float[] coarse(float[] middles) {
        float[] values = new float[fineAt()];
        for (int i = 0; i < sums; i++) {
            values[i] = BLOCK * middles[i];
        }
        return values;
    }

    /**
     * The elements of the fine columns, and zeros up to the last column.
     *
     * @param rounded the value of a coarse column after rounding
     */
    float[] fine(float[] coarse, IntToDoubleFunction rounded) {
        int first = fineAt();
        float[] values = new float[(columns() + BLOCK - 1) / BLOCK * BLOCK - first];
        for (int i = 0; i < sums; i++) {
            int sum = (first + i) % sums;
            values[i] = coarse[sum] - (float) rounded.applyAsDouble(sum);
        }
        return values;
    }
}
