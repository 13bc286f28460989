package dev.pollux.tensor;

/** Where a method puts a merged tensor. <em>Confined to one thread.</em> */
public interface TensorSink {

    /**
     * Takes the next elements; rounds once to the type that is written.
     *
     * @param values (≥ count)
     */
    void put(float[] values, int count);

    /** Whether elements are rounded to 16 bits. */
    default boolean isNarrow() {
        return false;
    }

    /** Notes something for the report, such as {@code branch} → {@code lerp}. */
    void fact(String name, String value);
}
