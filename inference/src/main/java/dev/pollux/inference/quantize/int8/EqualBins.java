package dev.pollux.inference.quantize.int8;

/** Bins of equal width that find the bin of a value as {@code numpy.histogram} does. <em>Immutable.</em> */
final class EqualBins {

    /*
     * Bin i is [e_i, e_{i+1}); the last bin contains its right edge. The edges are low + i · step in 32-bit floats, the last one
     * is exactly high. An index is computed by a division and corrected by the edges, because the division can be off by one.
     */

    private final float[] edges; // (bins + 1)
    private final float width;

    private EqualBins(float[] edges) {
        this.edges = edges;
        this.width = edges[edges.length - 1] - edges[0];
    }

    /** {@code bins} bins from {@code low} to {@code high}; a range of one value is widened by .5 on both sides. */
    static EqualBins of(int bins, float low, float high) {
        float from = low == high ? low - .5f : low;
        float to = low == high ? high + .5f : high;
        float[] edges = new float[bins + 1];
        float step = (to - from) / bins;
        for (int i = 0; i < bins; i++) {
            edges[i] = step == 0 ? i / (float) bins * (to - from) + from : i * step + from;
        }
        edges[bins] = to;
        return new EqualBins(edges);
    }

    float[] edges() {
        return edges;
    }

    /** The bin of a value; −1 if it is outside all bins or NaN. */
    int index(float value) {
        int bins = edges.length - 1;
        if (!(value >= edges[0] && value <= edges[bins])) {
            return -1;
        }
        int index = Math.min(bins - 1, (int) ((value - edges[0]) / width * bins));
        if (value < edges[index]) {
            index--;
        }
        return value >= edges[index + 1] && index != bins - 1 ? index + 1 : index;
    }
}
