package dev.pollux.finetune.merge;

import java.util.List;

/**
 * The distribution of a merge's memory.
 *
 * @param threads the number of threads; fewer than requested if their windows would not fit
 * @param windows bytes of windows per thread
 * @param kept bytes of decoded tensors that each thread may cache between passes
 * @param bytes the maximum total
 */
record WindowBudget(int threads, long windows, long kept, long bytes) {

    /** Elements of a window unless rows are longer. Constant, because sums depend on it. */
    private static final int WINDOW = 1 << 11;

    private static final long FIXED = 8L << 20;

    static WindowBudget of(List<TensorTask> tasks, MergeOptions options) {
        long scratch = 1;
        long largest = 0;
        for (TensorTask task : tasks) {
            long n = task.sources().size();
            // sources and differences as floats, separate ones for statistics; bits of a mask; sums and results
            long tables = task.readsOnce() ? 0 : n * MagnitudeRanks.BYTES_PER_SOURCE;
            scratch = Math.max(scratch, windowElements(task.shape()) * (20 * n + 24) + tables);
            largest = Math.max(largest, task.readsOnce() ? 0 : 4 * n * task.elements());
        }
        long available = options.memory() - FIXED;
        int threads = (int) Math.max(1, Math.min(options.threads(), available / scratch));
        long kept = Math.max(0, Math.min(largest, available / threads - scratch));
        return new WindowBudget(threads, scratch, kept, FIXED + threads * (scratch + kept));
    }

    static int rowLength(List<Long> shape) {
        return Math.toIntExact(Math.max(1, shape.isEmpty() ? 1 : shape.get(shape.size() - 1)));
    }

    static int windowElements(List<Long> shape) {
        int row = rowLength(shape);
        return Math.multiplyExact(Math.max(1, WINDOW / row), row);
    }
}
