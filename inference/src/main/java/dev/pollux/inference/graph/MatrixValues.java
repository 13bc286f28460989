package dev.pollux.inference.graph;

/** Reads parts of a weight of two dimensions, (rows, columns), as floats. Implementations are <em>thread-safe</em>. */
public interface MatrixValues {

    /**
     * Reads whole rows.
     *
     * @param into (count, columns)
     */
    void rows(int first, int count, float[] into);

    /**
     * Reads whole columns, each of them in one piece.
     *
     * @param into (count, rows)
     */
    void columns(int first, int count, float[] into);

    /**
     * Reads whole columns in the order of rows, if that is cheaper than one column after the other.
     *
     * @param into (rows, count)
     * @return whether they were read; if not, {@code into} is unchanged
     */
    default boolean band(int first, int count, float[] into) {
        return false;
    }
}
