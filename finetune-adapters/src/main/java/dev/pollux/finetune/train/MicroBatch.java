package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import java.util.List;

/**
 * Rows that are processed together. <em>Immutable.</em>
 *
 * @param sequences for pairs, all chosen ones, then all rejected ones; the targets of each are its completion
 * @param desirable for unpaired sequences, whether each is desirable; else empty
 * @param mismatched for KTO, prompts with completions of others; else empty
 * @param advantages of rated sequences; else empty
 * @param margins of pairs, by how much the reward of the chosen one is to be larger; else empty
 */
record MicroBatch(
        List<Sequence> sequences,
        boolean[] desirable,
        List<Sequence> mismatched,
        double[] advantages,
        double[] margins) {

    MicroBatch(List<Sequence> sequences, boolean[] desirable, List<Sequence> mismatched) {
        this(sequences, desirable, mismatched, new double[0], new double[0]);
    }

    MicroBatch {
        sequences = List.copyOf(sequences);
        mismatched = List.copyOf(mismatched);
    }

    static MicroBatch of(List<Sequence> sequences) {
        return new MicroBatch(sequences, new boolean[0], List.of());
    }

    /** The number of tokens that are trained. */
    long targets() {
        return sequences.stream().mapToLong(Sequence::targets).sum();
    }

    /** The number of tokens that are read. */
    long tokens() {
        return sequences.stream().mapToLong(one -> one.ids().length).sum();
    }
}
