package dev.pollux.inference.engine;

/**
 * Drafts the next tokens of a text by looking up what followed its last tokens before (Saxena, Prompt Lookup Decoding; the
 * verification is that of Leviathan et al., arXiv:2211.17192, with a draft of probability 1). <em>Not thread-safe: one thread at
 * a time.</em>
 */
final class LookupDrafter implements Drafter {

    /*
     * How many tokens are drafted depends on the chance p that a drafted token is right, which is estimated for five classes of
     * match lengths, and on the cost of reading k + 1 tokens in one step, relative to one token: the k with the largest
     *
     *   (1 + p + … + p^k) / cost(k + 1)
     *
     * is chosen, and none if that is below 1. So drafting ends by itself in a text where it does not pay. Older outcomes fade by
     * FADING with each draft of the class.
     *
     * Where the rule of even rows holds (EvenRows), a step reads an even number of tokens: a draft has an odd size, and a step
     * without a draft reads a filler, so that a text with drafts has the bits of one without. The balance adds up the steps saved by
     * accepted drafts, minus the cost of further rows. When it falls below what a text may lose, steps without a draft read one
     * token from then on, and drafts must wait until the text is longer.
     *
     * The rule depends on the tokens alone and on no clock, so that a request has the same drafts, and therefore the same bits,
     * whenever it runs. The costs are those of models of 135 million and 1 billion weights in 4 and 8 bits, with two threads; they
     * differ by a fifth from each other.
     */

    /** Most tokens of a draft. */
    static final int LONGEST = 7;

    private static final double[] COSTS = {1, 1.13, 1.32, 1.45, 1.65, 1.83, 2.06, 2.25}; // of 1 … 8 tokens in a step
    private static final int[] CLASSES = {1, 2, 3, 4, 8}; // the shortest match of each class
    private static final double[] PRIOR = {.3, .45, .6, .75, .9};
    private static final double PRIOR_WEIGHT = 4;
    private static final double FADING = .9;

    /** Steps that a text may lose by fillers, and by drafts in addition. */
    private static final double MOST_LOST = 1;

    /** Share of its steps that a text may lose in addition. */
    private static final double SHARE_LOST = .02;

    private final boolean even;
    private final DraftIndex index = new DraftIndex();
    private final double[] right = new double[CLASSES.length];
    private final double[] tested = new double[CLASSES.length];
    private int drafted; // the class of the last draft
    private double balance; // steps saved
    private int written; // tokens
    private boolean pairs;

    /** @param even whether steps read an even number of tokens */
    LookupDrafter(boolean even) {
        this.even = even;
        this.pairs = even;
    }

    @Override
    public void add(int token) {
        index.add(token);
    }

    @Override
    public int[] draft(int most) {
        int match = most <= 0 || balance < -2 * MOST_LOST - SHARE_LOST * written ? 0 : index.find();
        if (match == 0) {
            return new int[0];
        }
        drafted = classOf(match);
        int size = size((right[drafted] + PRIOR_WEIGHT * PRIOR[drafted]) / (tested[drafted] + PRIOR_WEIGHT));
        return size == 0 ? new int[0] : index.following(Math.min(size, most));
    }

    @Override
    public void verified(int accepted, int size) {
        written(accepted + 1, size + 1);
        right[drafted] = right[drafted] * FADING + accepted;
        tested[drafted] = tested[drafted] * FADING + Math.min(accepted + 1, size);
    }

    @Override
    public void undrafted() {
        written(1, 1);
    }

    private void written(int tokens, int rows) {
        written += tokens;
        balance += tokens - cost(rows);
        pairs &= balance >= -MOST_LOST;
    }

    @Override
    public boolean pairs() {
        return pairs;
    }

    private double cost(int rows) {
        boolean filled = even && rows % 2 == 1 && (rows > 1 || pairs);
        return COSTS[filled ? rows : rows - 1];
    }

    private static int classOf(int match) {
        int found = 0;
        while (found + 1 < CLASSES.length && CLASSES[found + 1] <= match) {
            found++;
        }
        return found;
    }

    /** The number of tokens that pays most if each is right with chance {@code p}. */
    private int size(double p) {
        int best = 0;
        double most = 1 / cost(1);
        double expected = 1;
        double power = 1;
        for (int k = 1; k <= LONGEST; k++) {
            power *= p;
            expected += power;
            if (expected / cost(k + 1) > most && !(even && k % 2 == 0)) {
                most = expected / cost(k + 1);
                best = k;
            }
        }
        return best;
    }
}
