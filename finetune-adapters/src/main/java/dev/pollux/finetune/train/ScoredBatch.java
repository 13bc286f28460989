package dev.pollux.finetune.train;

import java.util.List;

/**
 * The scored sequences of one micro-batch.
 *
 * @param sequences for pairs, all chosen ones, then all rejected ones
 * @param desirable for unpaired sequences, whether each is desirable; else empty
 * @param mismatched for KTO, prompts with completions of others; else empty
 * @param advantages of rated sequences; else empty
 * @param margins of pairs that have one, by how much the reward of the chosen one is to be larger; else empty
 * @param old log-probabilities of the tokens of each sequence when it was written; empty if they are those now
 */
record ScoredBatch(
        List<ScoredSequence> sequences,
        boolean[] desirable,
        List<ScoredSequence> mismatched,
        double[] advantages,
        double[] margins,
        List<double[]> old) {

    ScoredBatch(List<ScoredSequence> sequences, boolean[] desirable, List<ScoredSequence> mismatched) {
        this(sequences, desirable, mismatched, new double[0], new double[0], List.of());
    }

    int pairs() {
        return sequences.size() / 2;
    }

    double margin(int pair) {
        return margins.length == 0 ? 0 : margins[pair];
    }

    ScoredSequence chosen(int pair) {
        return sequences.get(pair);
    }

    ScoredSequence rejected(int pair) {
        return sequences.get(pairs() + pair);
    }
}
