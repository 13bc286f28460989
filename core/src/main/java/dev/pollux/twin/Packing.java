package dev.pollux.twin;

/**
 * How many of the retrieved passages fit into the model's prompt. <em>Immutable.</em>
 *
 * @param retrieved number of retrieved passages
 * @param whole number of complete passages in the prompt
 * @param cut number of truncated passages, cut between sentences; 0 or 1
 * @param promptTokens tokens of the whole prompt; 0 if the model was not called
 */
public record Packing(int retrieved, int whole, int cut, int promptTokens) {

    /** Returns the number of passages that did not fit. */
    public int leftOut() {
        return retrieved - whole - cut;
    }
}
