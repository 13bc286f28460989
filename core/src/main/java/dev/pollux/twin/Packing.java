package dev.pollux.twin;

/**
 * What of the retrieved passages the model was given: nothing is cut silently. <em>Immutable.</em>
 *
 * @param retrieved passages that were found
 * @param whole passages given from beginning to end
 * @param cut passages given in part, cut between sentences; 0 or 1
 * @param promptTokens tokens of the whole prompt; 0 where the model was not asked
 */
public record Packing(int retrieved, int whole, int cut, int promptTokens) {

    /** Passages that found no room. */
    public int leftOut() {
        return retrieved - whole - cut;
    }
}
