package dev.pollux.inference.sampling;

import java.util.List;
import java.util.Map;

/** Sequences of tokens whose last token has a bias where the text ends with the others. <em>Immutable.</em> */
final class BiasedSequences {

    private final int[][] sequences;
    private final float[] biases; // one for each sequence

    private BiasedSequences(int[][] sequences, float[] biases) {
        this.sequences = sequences;
        this.biases = biases;
    }

    /** @param sequences token ids in order, at least one in each */
    static BiasedSequences of(Map<List<Integer>, Float> sequences) {
        int[][] ids = new int[sequences.size()][];
        float[] biases = new float[ids.length];
        int count = 0;
        for (Map.Entry<List<Integer>, Float> sequence : sequences.entrySet()) {
            ids[count] = sequence.getKey().stream().mapToInt(Integer::intValue).toArray();
            biases[count++] = sequence.getValue();
        }
        return new BiasedSequences(ids, biases);
    }

    /** Adds the biases of the sequences that the next token may complete. */
    void apply(TokenHistory history, float[] logits) {
        for (int i = 0; i < sequences.length; i++) {
            int before = sequences[i].length - 1;
            if (history.endsWith(sequences[i], before)) {
                logits[sequences[i][before]] += biases[i];
            }
        }
    }
}
