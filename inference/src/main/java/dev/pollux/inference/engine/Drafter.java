package dev.pollux.inference.engine;

/** Guesses the next tokens of a text, which the model verifies. <em>Not thread-safe: one thread at a time.</em> */
interface Drafter {

    /** Adds a token to the text. */
    void add(int token);

    /**
     * Drafts the tokens that may follow. What is drafted depends on the text alone, so that a request has the same drafts each time.
     *
     * @param most the largest number of tokens to draft
     * @return (drafted), empty if none are worth a draft
     */
    int[] draft(int most);

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
}
