package dev.pollux.inference.quantize.int8;

import java.util.Arrays;

/** Counts of |x|. <em>Confined to one thread.</em> */
final class MagnitudeHistogram extends Histogram {

    /*
     * The first call fills [min |x|, max |x|] with equal bins. A later call with greater magnitudes appends bins of the same width
     * above; smaller magnitudes than the first call's least are not counted. This is ONNX Runtime's collect_absolute_value.
     */

    private final int bins;
    private EqualBins first;
    private boolean extended;

    MagnitudeHistogram(int bins) {
        this.bins = bins;
        this.first = EqualBins.of(bins, 0, 0);
    }

    @Override
    void begin(ObservedRange range) {
        first = EqualBins.of(bins, range.leastMagnitude(), range.greatestMagnitude());
        bins(first.edges(), 0);
    }

    @Override
    void grow(ObservedRange range) {
        extended = true;
        float[] edges = edges();
        float last = edges[edges.length - 1];
        float most = range.greatestMagnitude();
        if (most <= last) {
            return;
        }
        float width = edges[1] - edges[0];
        float from = last + width;
        double added = Math.ceil((most + width - from) / width);
        if (edges.length + added > MAX_BINS) {
            rebin(EqualBins.of(MAX_BINS, edges[0], most).edges());
            return;
        }
        float[] longer = Arrays.copyOf(edges, edges.length + (int) added);
        float step = from + width - from;
        for (int i = 0; i < (int) added; i++) {
            longer[edges.length + i] = i == 0 ? from : i == 1 ? from + width : from + i * step;
        }
        bins(longer, 0);
    }

    @Override
    int index(float value) {
        float magnitude = Math.abs(value);
        if (!extended) {
            return first.index(magnitude);
        }
        float[] edges = edges();
        int last = edges.length - 1;
        if (!(magnitude >= edges[0] && magnitude <= edges[last])) {
            return -1;
        }
        int at = Arrays.binarySearch(edges, magnitude);
        return Math.min(last - 1, at >= 0 ? at : -at - 2);
    }
}
