package dev.pollux.merge;

/**
 * Equal-shaped tensors of several models, read in windows of whole rows, as often as a method likes. <em>Confined to one
 * thread.</em>
 *
 * <p>The windows of a shape are always the same, however much memory there is, so sums over windows are too.
 */
interface TensorWindows {

    /** How many tensors there are. */
    int sources();

    /** Elements of each. */
    long elements();

    /** Elements of a row, the last dimension; for a tensor of one dimension all elements. */
    int rowLength();

    /** The first dimension; 1 for a tensor of fewer than two. */
    int height();

    /** Where the random numbers of source {@code source} begin; the same for any number of threads. */
    long randomKey(int source);

    /**
     * Reads all windows in order.
     *
     * @param only indices of the sources that are needed; none means all
     */
    void pass(Consumer consumer, int... only);

    /**
     * Reads every {@code stride}-th window in order, from the first.
     *
     * @param stride from 1
     * @param only as for {@link #pass}
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

    /** Takes one window. */
    @FunctionalInterface
    interface Consumer {
        /**
         * Takes a window.
         *
         * @param x (sources, ≥ count), not to be changed; empty where a source was not asked for
         * @param first index of its first element in the tensor
         * @param count its elements, a multiple of the row length
         */
        void accept(float[][] x, long first, int count);
    }
}
