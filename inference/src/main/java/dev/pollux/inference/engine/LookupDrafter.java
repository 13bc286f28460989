package dev.pollux.inference.engine;

/**
 * Drafts the next tokens of a text by looking up what followed its last tokens before (Saxena, Prompt Lookup Decoding; the
 * verification is that of Leviathan et al., arXiv:2211.17192, with a draft of probability 1). <em>Not thread-safe: one thread at
 * a time.</em>
 */
final class LookupDrafter implements Drafter {

    /*
     * How many tokens are drafted depends on the chance that a drafted token is right, which is estimated for five classes of match
     * lengths, and on the cost of a step (DraftCosts). Nothing is drafted where that takes longer than it saves, so drafting ends by
     * itself in a text where it does not pay. Older outcomes fade by FADING with each draft of the class.
     *
     * Where the rule of even rows holds (EvenRows), a step reads an even number of tokens: a draft has an odd size, and a step
     * without a draft reads a filler, so that a text with drafts has the bits of one without. The balance adds up the steps saved by
     * accepted drafts, minus the cost of further rows. When it falls below what a text may lose, steps without a draft read one
     * token from then on, and drafts must wait until the text is longer.
     *
     * The rule depends on the tokens alone and on no clock, so that a request has the same drafts, and therefore the same bits,
     * whenever it runs.
     */

    /** Most tokens of a draft. */
    static final int LONGEST = 7;

    private static final int[] CLASSES = {1, 2, 3, 4, 8}; // the shortest match of each class
    private static final double[] PRIOR = {.3, .45, .6, .75, .9};
    private static final double PRIOR_WEIGHT = 4;
    private static final double FADING = .9;

    /** Steps that a text may lose by fillers, and by drafts in addition. */
    private static final double MOST_LOST = 1;

    /** Share of its steps that a text may lose in addition. */
    private static final double SHARE_LOST = .02;

    private final boolean even;
    private final DraftCosts costs;
    private final DraftIndex index = new DraftIndex();
    private final double[] right = new double[CLASSES.length];
    private final double[] tested = new double[CLASSES.length];
    private int drafted; // the class of the last draft
    private double balance; // steps saved
    private int written; // tokens
    private boolean pairs;

    /** @param even whether steps read an even number of tokens */
    LookupDrafter(boolean even) {
        this(even, DraftCosts.LOOKUP);
    }

    /**
     * @param even whether steps read an even number of tokens
     * @param costs those of the model's steps
     */
    LookupDrafter(boolean even, DraftCosts costs) {
        this.even = even;
        this.costs = costs;
        this.pairs = even;
    }

    @Override
    public void add(int token) {
        index.add(token);
    }

    @Override
    public int[] draft(int most) {
        int size = plan(most).size();
        return size == 0 ? new int[0] : index.following(size);
    }

    /** The draft that {@link #draft} would make. */
    DraftCosts.Plan plan(int most) {
        int match = most <= 0 || balance < -2 * MOST_LOST - SHARE_LOST * written ? 0 : index.find();
        if (match == 0) {
            return new DraftCosts.Plan(0, 1 / cost(1));
        }
        drafted = classOf(match);
        double p = (right[drafted] + PRIOR_WEIGHT * PRIOR[drafted]) / (tested[drafted] + PRIOR_WEIGHT);
        DraftCosts.Plan plan = costs.plan(p, LONGEST, even, cost(1));
        return new DraftCosts.Plan(Math.min(plan.size(), most), plan.rate());
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
        return costs.step(rows, even && (rows > 1 || pairs));
    }

    private static int classOf(int match) {
        int found = 0;
        while (found + 1 < CLASSES.length && CLASSES[found + 1] <= match) {
            found++;
        }
        return found;
    }
}
