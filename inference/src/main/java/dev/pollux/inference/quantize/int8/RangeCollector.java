package dev.pollux.inference.quantize.int8;

import java.util.List;

/** Finds the range of one value of a graph from its values over many inputs. <em>Confined to one thread.</em> */
final class RangeCollector {

    /*
     * Memory is bounded: two extremes, or one histogram. A histogram needs the range before it counts, so it takes two passes over the
     * inputs: the first finds the extremes, the second counts in bins of this range. The result is that of ONNX Runtime's collector,
     * which receives all values in one call, without its memory for all values. In one pass the bins grow from input to input.
     */

    private static final int PERCENTILE_BINS = 2048;
    private static final float AVERAGING = .01f;

    private final RangeMethod method;
    private final ObservedRange extremes = new ObservedRange();
    private final Histogram histogram;
    private float averageLow;
    private float averageHigh;
    private boolean counting;

    RangeCollector(RangeMethod method) {
        this.method = method;
        boolean magnitudes = method.kind() == RangeMethod.Kind.PERCENTILE && method.magnitudes();
        this.histogram = magnitudes
                ? new MagnitudeHistogram(PERCENTILE_BINS)
                : new SignedHistogram(
                        method.kind() == RangeMethod.Kind.PERCENTILE ? PERCENTILE_BINS : EntropyRange.LEVELS);
    }

    /** The number of passes over the inputs. */
    static int passes(RangeMethod method) {
        return method.onePass() ? 1 : 2;
    }

    /** Adds the values of one input, which come in one or more arrays. */
    void add(List<float[]> values) {
        ObservedRange range = new ObservedRange();
        values.forEach(range::add);
        if (range.isEmpty()) {
            return;
        }
        if (!counting) {
            average(range);
            extremes.add(range);
        }
        boolean counts = method.kind() == RangeMethod.Kind.PERCENTILE || method.kind() == RangeMethod.Kind.ENTROPY;
        if (counts && method.onePass()) {
            histogram.extend(range);
        }
        if (counts && (method.onePass() || counting)) {
            values.forEach(histogram::count);
        }
    }

    private void average(ObservedRange range) {
        boolean first = extremes.isEmpty();
        averageLow = first ? range.low() : averageLow + AVERAGING * (range.low() - averageLow);
        averageHigh = first ? range.high() : averageHigh + AVERAGING * (range.high() - averageHigh);
    }

    /** Ends the first of two passes. */
    void beginCounting() {
        counting = true;
        histogram.extend(extremes);
    }

    /** The extremes of all values. */
    ObservedRange extremes() {
        return extremes;
    }

    /** The range; [0, 0] if there was no value. */
    ValueRange range() {
        if (extremes.isEmpty()) {
            return extremes.range();
        }
        return switch (method.kind()) {
            case MIN_MAX -> extremes.range();
            case MOVING_AVERAGE -> new ValueRange(averageLow, averageHigh);
            case ENTROPY -> EntropyRange.of((SignedHistogram) histogram);
            case PERCENTILE ->
                histogram instanceof MagnitudeHistogram magnitudes
                        ? PercentileRange.of(magnitudes, method.percent())
                        : PercentileRange.of((SignedHistogram) histogram, method.percent());
        };
    }
}
