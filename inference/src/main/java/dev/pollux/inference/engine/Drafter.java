package dev.pollux.inference.engine;

import dev.pollux.inference.sampling.TokenDistribution;
import java.util.Optional;

/** Guesses the next tokens of a text, which the model verifies. <em>Confined to one thread except {@link #interrupt()}.</em> */
interface Drafter extends AutoCloseable {

    /** Adds a token to the text. */
    void add(int token);

    /**
     * Drafts the tokens that may follow. What is drafted depends on the text alone, so that a request has the same drafts each time.
     *
     * @param most the largest number of tokens to draft
     * @return (drafted), empty if none are worth a draft
     * @throws dev.pollux.CancelledException if the drafter or the thread is interrupted
     */
    int[] draft(int most);

    /** The distribution that a token of the last draft was drawn from; empty if it was not drawn. */
    default Optional<TokenDistribution> distribution(int index) {
        return Optional.empty();
    }

    /**
     * Learns how good the last draft was.
     *
     * @param accepted the number of drafted tokens that were right
     * @param size the number of tokens drafted
     */
    void verified(int accepted, int size);

    /** Notes that a step without a draft was read. */
    void undrafted();

    /** Whether a step without a draft reads a filler. */
    boolean pairs();

    /** Ends drafting with {@link dev.pollux.CancelledException}. May be called from any thread. */
    default void interrupt() {}

    /** Frees what the drafter holds. Idempotent. */
    @Override
    default void close() {}
}
