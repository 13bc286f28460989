package dev.pollux.inference.quantize.int8;

/** Counts of x in bins from −t to t. <em>Confined to one thread.</em> */
final class SignedHistogram extends Histogram {

    /*
     * The first call sets t = max |x|. A later call with a greater T adds h = floor((T − t) / w) + 1 bins of the old width w on both
     * sides, so that t becomes t + h · w ≥ T. This is ONNX Runtime's collect_value and merge_histogram.
     */

    private EqualBins bins;
    private int count;
    private float threshold;

    SignedHistogram(int bins) {
        this.count = bins;
        this.bins = EqualBins.of(bins, 0, 0);
    }

    @Override
    void begin(ObservedRange range) {
        set(range.greatestMagnitude(), count);
        bins(bins.edges(), 0);
    }

    @Override
    void grow(ObservedRange range) {
        float most = range.greatestMagnitude();
        if (most <= threshold) {
            return;
        }
        if (threshold == 0) {
            set(most, count);
            bins(bins.edges(), 0);
            return;
        }
        float width = 2 * threshold / count;
        double added = floorDivide(most - threshold, width) + 1.0;
        if (count + 2 * added > MAX_BINS) {
            set(most, MAX_BINS);
            rebin(bins.edges());
            return;
        }
        set(((int) added) * width + threshold, count + 2 * (int) added);
        bins(bins.edges(), (int) added);
    }

    private void set(float most, int newCount) {
        threshold = most;
        count = newCount;
        bins = EqualBins.of(count, -threshold, threshold);
    }

    /** floor(a / b) in 32-bit floats, exact where a / b would be rounded up to the next integer. */
    private static float floorDivide(float a, float b) {
        float quotient = (a - a % b) / b;
        float floor = (float) Math.floor(quotient);
        return quotient - floor > .5f ? floor + 1 : floor;
    }

    @Override
    int index(float value) {
        return bins.index(value);
    }
}
