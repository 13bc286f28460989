package dev.pollux.rag.chunk;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Finds the places where a text changes its subject. */
final class SemanticBreaks {

    /*
     * The vector of each piece is compared with that of the next one. A break is where the similarity is among the least tenth of
     * the document. A share instead of a bound fits every embedder, whose similarities have a scale of their own.
     *
     * Compare: M. Hearst: TextTiling. Computational Linguistics 23 (1997); G. Kamradt: 5 Levels of Text Splitting (2023), for
     * vectors of sentences and percentiles.
     */

    private static final double SHARE = 0.1;
    private static final int BATCH = 32;

    private SemanticBreaks() {}

    /**
     * Whether a subject begins with each piece.
     *
     * @param embed vectors of texts, of length 1
     * @return (pieces)
     */
    static boolean[] of(List<String> pieces, Function<List<String>, float[][]> embed) {
        int count = pieces.size();
        double[] similarities = new double[Math.max(0, count - 1)]; // (pieces - 1), of each with the next one
        float[] before = new float[0]; // (dimension)
        for (int from = 0; from < count; from += BATCH) {
            float[][] rows = embed.apply(pieces.subList(from, Math.min(count, from + BATCH))); // (batch, dimension)
            for (int i = 0; i < rows.length; i++) {
                if (from + i > 0) {
                    similarities[from + i - 1] = product(before, rows[i]);
                }
                before = rows[i];
            }
        }
        boolean[] breaks = new boolean[count];
        double[] sorted = similarities.clone();
        Arrays.sort(sorted);
        int least = (int) Math.round(SHARE * sorted.length);
        for (int i = 0; i < similarities.length; i++) {
            breaks[i + 1] = least > 0 && similarities[i] <= sorted[least - 1];
        }
        return breaks;
    }

    private static double product(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
