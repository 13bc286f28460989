package dev.pollux.twin;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pairs the terms of a claim with those of a source, in order, with the maximum score of pairs and runs.
 * <em>Immutable.</em>
 */
final class Alignment {

    /*
     * Global in the claim, local in the source: O. Gotoh, An improved algorithm for matching biological sequences, J. Mol.
     * Biol. 162 (1982), with two states and no penalty for the length of a gap.
     *
     *   run(i, j) = PAIR + max(run(i-1, j-1) + RUN, gap(i-1, j-1))    if source term j implies claim term i, else -infinity
     *   gap(i, j) = max(run(i-1, j), gap(i-1, j), run(i, j-1), gap(i, j-1))
     *
     * run(i, j) is the best score with terms i and j paired; gap(i, j) is the best score of the first i and the first j
     * terms without that pair. RUN rewards a pair directly after another pair on both sides.
     *
     * Pairs never cross. Order carries the roles in a sentence (who does what to whom), so a term that changed its position
     * has no partner.
     */

    private static final int PAIR = 10;
    private static final int RUN = 4;
    private static final int NEVER = Integer.MIN_VALUE / 2;

    /**
     * The unpaired terms between consecutive pairs: [{@code claimFrom}, {@code claimTo}) and [{@code sourceFrom},
     * {@code sourceTo}).
     */
    record Gap(int claimFrom, int claimTo, int sourceFrom, int sourceTo) {

        boolean inserts() {
            return claimTo > claimFrom;
        }

        boolean skips() {
            return sourceTo > sourceFrom;
        }
    }

    private final Statement claim;
    private final Statement source;
    private final int[] at; // index of the source partner of each claim term, ascending; -1 if unpaired

    private Alignment(Statement claim, Statement source, int[] at) {
        this.claim = claim;
        this.source = source;
        this.at = at;
    }

    static Alignment of(Statement claim, Statement source) {
        List<Term> c = claim.terms();
        List<Term> s = source.terms();
        int[][] run = new int[c.size() + 1][s.size() + 1];
        int[][] gap = new int[c.size() + 1][s.size() + 1];
        for (int[] row : run) {
            Arrays.fill(row, NEVER);
        }
        for (int i = 1; i <= c.size(); i++) {
            for (int j = 1; j <= s.size(); j++) {
                if (c.get(i - 1).isSaidBy(s.get(j - 1))) {
                    run[i][j] = PAIR + Math.max(run[i - 1][j - 1] + RUN, gap[i - 1][j - 1]);
                }
                gap[i][j] = Math.max(Math.max(run[i - 1][j], gap[i - 1][j]), Math.max(run[i][j - 1], gap[i][j - 1]));
            }
        }
        return new Alignment(claim, source, traced(run, gap));
    }

    private static int[] traced(int[][] run, int[][] gap) {
        int i = run.length - 1;
        int j = run[0].length - 1;
        int[] at = new int[i];
        Arrays.fill(at, -1);
        boolean inRun = run[i][j] >= gap[i][j];
        while (i > 0 && j > 0) {
            if (inRun) {
                at[i - 1] = j - 1;
                inRun = run[i - 1][j - 1] + RUN >= gap[i - 1][j - 1];
                i--;
                j--;
            } else if (gap[i][j] == run[i][j - 1] || gap[i][j] == gap[i][j - 1]) {
                inRun = gap[i][j] == run[i][j - 1];
                j--;
            } else {
                inRun = gap[i][j] == run[i - 1][j];
                i--;
            }
        }
        return at;
    }

    Statement claim() {
        return claim;
    }

    Statement source() {
        return source;
    }

    int pairs() {
        return (int) Arrays.stream(at).filter(j -> j >= 0).count();
    }

    /** The gaps in order: before the first pair, between pairs, after the last; one more than pairs. */
    List<Gap> gaps() {
        List<Gap> gaps = new ArrayList<>();
        int claimFrom = 0;
        int sourceFrom = 0;
        for (int i = 0; i < at.length; i++) {
            if (at[i] >= 0) {
                gaps.add(new Gap(claimFrom, i, sourceFrom, at[i]));
                claimFrom = i + 1;
                sourceFrom = at[i] + 1;
            }
        }
        gaps.add(new Gap(claimFrom, at.length, sourceFrom, source.terms().size()));
        return gaps;
    }
}
