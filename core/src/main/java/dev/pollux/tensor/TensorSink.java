package dev.pollux.tensor;

/** Receives the elements of a merged tensor. <em>Confined to one thread.</em> */
public interface TensorSink {

    /**
     * Receives the next elements; each is rounded once, to the output type.
     *
     * @param values (≥ count)
     */
    void put(float[] values, int count);

    /** Whether elements are rounded to 16 bits. */
    default boolean isNarrow() {
        return false;
    }

    /** Records a fact for the report, such as {@code branch} → {@code lerp}. */
    void fact(String name, String value);
}
