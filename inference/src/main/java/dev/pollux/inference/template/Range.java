package dev.pollux.inference.template;

/** Python's range. <em>Immutable.</em> */
record Range(long start, long stop, long step) {

    /** The sandbox of Jinja2 refuses longer ones. */
    private static final int MAX_LENGTH = 100_000;

    Range {
        if (step == 0) {
            throw Failure.of("range() arg 3 must not be zero");
        }
        if (length(start, stop, step) > MAX_LENGTH) {
            throw Failure.of("range() gives more than " + MAX_LENGTH + " items");
        }
    }

    private static long length(long start, long stop, long step) {
        if (step > 0 ? start >= stop : start <= stop) {
            return 0;
        }
        double span = Math.abs((double) stop - (double) start);
        double items = span / Math.abs((double) step);
        return items > 2L * MAX_LENGTH
                ? Long.MAX_VALUE
                : step > 0 ? (stop - start - 1) / step + 1 : (stop - start + 1) / step + 1;
    }

    int size() {
        return (int) length(start, stop, step);
    }

    Long get(int index) {
        return start + index * step;
    }
}
