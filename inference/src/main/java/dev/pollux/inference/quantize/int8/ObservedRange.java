package dev.pollux.inference.quantize.int8;

/** The extremes of the values seen so far. NaN is ignored. <em>Confined to one thread.</em> */
final class ObservedRange {

    private float low = Float.POSITIVE_INFINITY;
    private float high = Float.NEGATIVE_INFINITY;
    private float leastMagnitude = Float.POSITIVE_INFINITY;

    /** The extremes of an array. */
    static ObservedRange of(float[] values) {
        ObservedRange range = new ObservedRange();
        range.add(values);
        return range;
    }

    void add(float[] values) {
        for (float value : values) {
            if (value < low) {
                low = value;
            }
            if (value > high) {
                high = value;
            }
            float magnitude = Math.abs(value);
            if (magnitude < leastMagnitude) {
                leastMagnitude = magnitude;
            }
        }
    }

    void add(ObservedRange other) {
        low = Math.min(low, other.low);
        high = Math.max(high, other.high);
        leastMagnitude = Math.min(leastMagnitude, other.leastMagnitude);
    }

    /** Whether no value was seen. */
    boolean isEmpty() {
        return low > high;
    }

    /** The least value; 0 if there is none. */
    float low() {
        return isEmpty() ? 0 : low;
    }

    /** The greatest value; 0 if there is none. */
    float high() {
        return isEmpty() ? 0 : high;
    }

    /** min |x|; 0 if there is no value. */
    float leastMagnitude() {
        return isEmpty() ? 0 : leastMagnitude;
    }

    /** max |x|; 0 if there is no value. */
    float greatestMagnitude() {
        return Math.max(Math.abs(low()), Math.abs(high()));
    }

    ValueRange range() {
        return new ValueRange(low(), high());
    }
}
