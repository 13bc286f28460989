package dev.pollux.inference.sampling;

/** Decides whether a token that was drawn from one distribution is taken as one that is drawn from another. */
final class AcceptanceRule {

    /*
     * The rule of Leviathan et al. (arXiv:2211.17192) and Chen et al. (arXiv:2302.01318). A token x that was drawn from the draft's
     * distribution q is accepted with chance min(1, p(x) / q(x)); otherwise another token is drawn from max(p - q, 0), normalized.
     * The token then has the target's distribution p:
     *
     *   q(x) min(1, p(x)/q(x)) + (1 - Σ min(p, q)) · max(p(x) - q(x), 0) / Σ max(p - q, 0)  =  min(p, q) + max(p - q, 0)  =  p(x)
     *
     * The comparison is strict, so that a token of probability 0 is never accepted. Lists of tokens are in ascending order.
     */

    private AcceptanceRule() {}

    /**
     * Whether a token is accepted.
     *
     * @param p the target's distribution
     * @param q the distribution that the token was drawn from
     * @param uniform a uniform random number in [0, 1)
     */
    static boolean accepts(TokenDistribution p, TokenDistribution q, int token, double uniform) {
        return uniform * q.probabilityOf(token) < p.probabilityOf(token);
    }

    /** The distribution that the token after a refusal is drawn from: max(p - q, 0), normalized, or p where nothing is left. */
    static TokenDistribution rest(TokenDistribution p, TokenDistribution q) {
        TokenDistribution rest = p.copy();
        double sum = 0;
        int at = 0;
        for (int i = 0; i < p.count; i++) {
            while (at < q.count && q.ids[at] < p.ids[i]) {
                at++;
            }
            double other = at < q.count && q.ids[at] == p.ids[i] ? q.probabilities[at] : 0;
            rest.probabilities[i] = Math.max(0, p.probabilities[i] - other);
            sum += rest.probabilities[i];
        }
        if (sum == 0) {
            return p.copy();
        }
        for (int i = 0; i < rest.count; i++) {
            rest.probabilities[i] /= sum;
        }
        return rest;
    }
}
