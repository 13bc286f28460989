package dev.pollux.rag.knowledge;

import dev.pollux.embedding.SimilarityScale;
import java.util.Map;
import java.util.Optional;

/**
 * The scale of an embedder in commit data: {@code recipe unrelated own sentences passages}, separated by spaces.
 * <em>Immutable.</em>
 *
 * @param scale the scale
 * @param passages number of passages when it was measured
 */
record MeasuredScale(SimilarityScale scale, int passages) {

    /** Version of the method of measurement; a scale of another version is measured again. */
    private static final String RECIPE = "1";

    /** It is measured again when there are more or fewer passages by this part. */
    private static final double CHANGE = 0.25;

    /** The scale in commit data; empty if it is absent or of another recipe. */
    static Optional<MeasuredScale> of(Map<String, String> data) {
        String[] parts = data.getOrDefault(IndexLayout.COMMIT_SCALE, "").split(" ");
        if (parts.length != 5 || !parts[0].equals(RECIPE)) {
            return Optional.empty();
        }
        try {
            SimilarityScale scale = new SimilarityScale(
                    Double.parseDouble(parts[1]), Double.parseDouble(parts[2]), Integer.parseInt(parts[3]));
            return Optional.of(new MeasuredScale(scale, Integer.parseInt(parts[4])));
        } catch (IllegalArgumentException e) { // also a number that is none
            return Optional.empty();
        }
    }

    /** As {@link #of} reads it. */
    String text() {
        return String.join(
                " ",
                RECIPE,
                Double.toString(scale.unrelated()),
                Double.toString(scale.own()),
                Integer.toString(scale.sentences()),
                Integer.toString(passages));
    }

    /** Whether it still serves where there are {@code now} passages. */
    boolean serves(int now) {
        return Math.abs(now - passages) <= CHANGE * passages;
    }
}
