package dev.pollux.inference.sampling;

/**
 * The tokens that may come next, decided by those that came before: a grammar, a schema, a list of choices.
 *
 * <p>A constraint is a value: {@link #after} gives the constraint that holds once a token was chosen, and changes nothing. A
 * state can thus be kept and returned to, which the verification of drafts and a search over several continuations need.
 *
 * <pre>{@code
 * record OneOf(List<int[]> choices, int position) implements TokenConstraint {
 *     public void mask(long[] allowed) {
 *         Arrays.fill(allowed, 0);
 *         choices.forEach(choice -> allowed[choice[position] / 64] |= 1L << choice[position]);
 *     }
 *
 *     public TokenConstraint after(int token) {
 *         return new OneOf(choices.stream().filter(choice -> choice[position] == token).toList(), position + 1);
 *     }
 * }
 * }</pre>
 *
 * <p>Implementations are <em>immutable</em>.
 */
public interface TokenConstraint {

    /**
     * Forbids tokens for the next place.
     *
     * @param allowed (⌈vocabulary / 64⌉), one bit a token: token t is bit t mod 64 of word ⌊t / 64⌋. Every bit is set when this
     *     is called; the constraint clears those of the tokens that must not come next. Bits beyond the vocabulary are ignored.
     */
    void mask(long[] allowed);

    /**
     * The constraint on the token that follows {@code token}.
     *
     * @param token one that {@link #mask} allows
     */
    TokenConstraint after(int token);
}
