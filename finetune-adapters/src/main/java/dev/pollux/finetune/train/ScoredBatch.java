package dev.pollux.finetune.train;

import java.util.List;

/**
 * The scored sequences of one micro-batch.
 *
 * @param sequences for pairs, all chosen ones, then all rejected ones
 * @param desirable for unpaired sequences, whether each is desirable; else empty
 * @param mismatched for KTO, prompts with completions of others; else empty
 */
record ScoredBatch(List<ScoredSequence> sequences, boolean[] desirable, List<ScoredSequence> mismatched) {

    int pairs() {
        return sequences.size() / 2;
    }

    ScoredSequence chosen(int pair) {
        return sequences.get(pair);
    }

    ScoredSequence rejected(int pair) {
        return sequences.get(pairs() + pair);
    }
}
