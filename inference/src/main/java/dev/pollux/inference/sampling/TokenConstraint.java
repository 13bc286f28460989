package dev.pollux.inference.sampling;

/**
 * The tokens that may come next, determined by the previous ones: a grammar, a schema, a list of choices.
 *
 * <p>A constraint is a value: {@link #after} returns the constraint that applies after a token, and changes nothing. A state
 * can therefore be kept and restored, as the verification of drafts and the search over several continuations require.
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
     * Excludes tokens from the next position.
     *
     * @param allowed (⌈vocabulary / 64⌉), one bit per token: token t is bit t mod 64 of word ⌊t / 64⌋. All bits are set on
     *     entry; the constraint clears the bits of the tokens that must not come next. Bits beyond the vocabulary are ignored.
     */
    void mask(long[] allowed);

    /**
     * The constraint on the token after {@code token}.
     *
     * @param token a token that {@link #mask} allows
     */
    TokenConstraint after(int token);
}
