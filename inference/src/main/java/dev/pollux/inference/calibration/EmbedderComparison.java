package dev.pollux.inference.calibration;

import java.util.Map;
import java.util.TreeMap;

/**
 * How far the vectors of an embedder are from those of another, such as a quantized embedder from its original.
 * <em>Immutable.</em>
 *
 * @param texts number of texts
 * @param a the first embedder, the reference
 * @param b the second embedder
 * @param cosine mean cosine of the two vectors of a text, with its interval over blocks of texts
 * @param leastCosine the least cosine
 * @param recallAt10 share of the ten nearest other texts by {@code a} that are among the ten nearest by {@code b}, mean over the
 *     texts; fewer than ten if there are fewer texts
 */
public record EmbedderComparison(
        int texts, Side a, Side b, ModelComparison.Interval cosine, double leastCosine, double recallAt10) {

    /**
     * One of the embedders.
     *
     * @param bytes size of the graph and its weights
     * @param loadMillis time to open it, in milliseconds
     * @param textsPerSecond texts embedded per second
     */
    public record Side(long bytes, long loadMillis, double textsPerSecond) {}

    /** The measures that do not depend on the machine, by name, for the scores of an artifact. */
    public Map<String, Double> scores() {
        Map<String, Double> scores = new TreeMap<>();
        scores.put("cosine", cosine.value());
        scores.put("leastCosine", leastCosine);
        scores.put("recallAt10", recallAt10);
        return scores;
    }
}
