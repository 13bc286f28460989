package dev.pollux.finetune.internal.training;

import dev.pollux.finetune.internal.training.BlockAttention.Range;
import java.util.ArrayList;
import java.util.List;

/**
 * Documents in one row of tokens, each with its own positions, and the tokens that are predicted. <em>Immutable.</em>
 *
 * @param ids (tokens)
 * @param documents the tokens of each document, in order, without gaps
 * @param targets the tokens that are predicted, ascending; none is the first of its document. To score a document, the place after
 *     its last token
 */
public record TokenBatch(int[] ids, List<Range> documents, int[] targets) {

    public TokenBatch {
        documents = List.copyOf(documents);
    }

    /**
     * A document.
     *
     * @param ids its tokens, at least one
     * @param isTarget for each token, whether it is predicted; the first never is
     */
    public record Sequence(int[] ids, boolean[] isTarget) {

        /** The number of tokens that are predicted. */
        public int targets() {
            int count = 0;
            for (int i = 1; i < ids.length; i++) {
                count += isTarget[i] ? 1 : 0;
            }
            return count;
        }
    }

    /** Documents one after the other. */
    public static TokenBatch of(List<Sequence> sequences) {
        int length = sequences.stream().mapToInt(one -> one.ids.length).sum();
        int[] ids = new int[length];
        List<Range> documents = new ArrayList<>();
        int[] targets = new int[sequences.stream().mapToInt(Sequence::targets).sum()];
        int at = 0;
        int target = 0;
        for (Sequence one : sequences) {
            System.arraycopy(one.ids, 0, ids, at, one.ids.length);
            documents.add(new Range(at, at + one.ids.length));
            for (int i = 1; i < one.ids.length; i++) {
                if (one.isTarget[i]) {
                    targets[target++] = at + i;
                }
            }
            at += one.ids.length;
        }
        return new TokenBatch(ids, documents, targets);
    }

    /** Documents one after the other, each of which is scored at its last token. */
    public static TokenBatch scored(List<Sequence> sequences) {
        TokenBatch all = of(sequences);
        return new TokenBatch(
                all.ids,
                all.documents,
                all.documents.stream().mapToInt(Range::end).toArray());
    }

    /** The id of a predicted token; 0 after the last token. */
    int label(int target) {
        return targets[target] < ids.length ? ids[targets[target]] : 0;
    }

    /** Positions of the tokens in their documents; {@code beyond} is added in documents longer than {@code length} unless it is 0. */
    long[] positions(int length, int beyond) {
        long[] positions = new long[ids.length];
        for (Range document : documents) {
            int size = document.end() - document.start();
            int first = length > 0 && size > length ? beyond : 0;
            for (int i = 0; i < size; i++) {
                positions[document.start() + i] = (long) first + i;
            }
        }
        return positions;
    }

    /** The token before each target, from which it is predicted. */
    int[] rows() {
        int[] rows = new int[targets.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = targets[i] - 1;
        }
        return rows;
    }
}
