package dev.pollux.twin;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The terms of a claim paired with those of a source, in order: the pairing with the most terms in the longest runs.
 * <em>Immutable.</em>
 */
final class Alignment {

    /*
     * Global in the claim, local in the source (O. Gotoh, An improved algorithm for matching biological sequences, 1982,
     * with two states and no price for the length of a gap):
     *   run(i, j)  the best score in which terms i and j are a pair
     *   gap(i, j)  the best score of the first i terms and the first j in which the last step was none
     * A pair counts PAIR, and RUN more where the pair before it stands right before it on both sides. Order is kept, so
     * that who does what to whom is: a term that has changed places finds no partner.
     */

    private static final int PAIR = 10;
    private static final int RUN = 4;
    private static final int NEVER = Integer.MIN_VALUE / 2;

    /** What lies between two pairs that follow each other: terms {@code claimFrom} to {@code claimTo}, exclusive, and so on. */
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
    private final int[] at; // for each term of the claim its partner in the source, ascending; -1 where it has none

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

    /** The gaps in order: before the first pair, between pairs, after the last; one more than there are pairs. */
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
