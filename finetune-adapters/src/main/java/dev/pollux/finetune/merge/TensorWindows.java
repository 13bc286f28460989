package dev.pollux.finetune.merge;

/**
 * Equal-shaped tensors of several models, read in windows of whole rows, any number of times. <em>Confined to one thread.</em>
 *
 * <p>The windows depend only on the shape, not on the available memory. Sums over windows are therefore reproducible.
 */
interface TensorWindows {

    /** The number of tensors. */
    int sources();

    /** The number of elements of each tensor. */
    long elements();

    /** The length of a row, which is the last dimension; for one dimension, the number of elements. */
    int rowLength();

    /** The first dimension; 1 for a tensor of fewer than two. */
    int height();

    /** The key of the random numbers of a source; independent of the number of threads. */
    long randomKey(int source);

    /**
     * Reads all windows in order.
     *
     * @param only indices of the required sources; none means all
     */
    void pass(Consumer consumer, int... only);

    /**
     * Reads every {@code stride}-th window in order, from the first.
     *
     * @param stride ≥ 1
     * @param only see {@link #pass}
     */
    default void sample(int stride, Consumer consumer, int... only) {
        long[] windows = {0};
        pass(
                (x, first, count) -> {
                    if (windows[0]++ % stride == 0) {
                        consumer.accept(x, first, count);
                    }
                },
                only);
    }

    /** Receives windows. */
    @FunctionalInterface
    interface Consumer {
        /**
         * Receives a window.
         *
         * @param x (sources, ≥ count), read-only; empty for sources that were not requested
         * @param first the index of its first element in the tensor
         * @param count the number of its elements, a multiple of the row length
         */
        void accept(float[][] x, long first, int count);
    }
}
