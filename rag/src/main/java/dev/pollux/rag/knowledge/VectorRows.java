package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;

/** Vectors of one length under consecutive numbers. <em>Immutable, thread-safe.</em> */
interface VectorRows {

    /** Rows of a block of a scan: a block stays in the second cache of a processor. */
    int BLOCK = 64;

    int rows();

    int dimension();

    /**
     * Copies consecutive rows.
     *
     * @param into (≥ count * dimension)
     */
    void copy(int first, int count, float[] into);

    /**
     * Copies rows in ascending order.
     *
     * @param into (≥ count * dimension)
     */
    default void gather(int[] rows, int count, float[] into) {
        float[] row = new float[dimension()];
        for (int i = 0; i < count; i++) {
            copy(rows[i], 1, row);
            System.arraycopy(row, 0, into, i * row.length, row.length);
        }
    }

    /** A copy of a row. */
    default float[] get(int row) { // (dimension)
        float[] vector = new float[dimension()];
        copy(row, 1, vector);
        return vector;
    }

    /**
     * The inner products of {@code query} with consecutive rows.
     *
     * @param query (dimension)
     * @param count at most {@link #BLOCK}
     * @param into (≥ count)
     * @param scratch (BLOCK * dimension) overwritten
     */
    default void dots(float[] query, int first, int count, float[] into, float[] scratch) {
        copy(first, count, scratch);
        DotKernels.BEST.dots(query, scratch, 0, count, into);
    }
}
