package dev.pollux.rag.knowledge;

import java.time.Duration;
import java.util.List;

/**
 * What a check of the files of a knowledge base found. <em>Immutable.</em>
 *
 * @param files number of files read
 * @param bytes their size
 * @param faults empty if every file is whole
 * @param elapsed duration
 */
public record VerifyReport(int files, long bytes, List<Fault> faults, Duration elapsed) {

    public VerifyReport {
        faults = List.copyOf(faults);
    }

    /** Whether every file is whole. */
    public boolean isWhole() {
        return faults.isEmpty();
    }

    /**
     * A damaged or missing file. <em>Immutable.</em>
     *
     * @param file path relative to the folder of the knowledge base
     * @param problem what is wrong
     * @param derived whether {@link KnowledgeBase#rebuild()} mends it; otherwise the documents must be ingested again
     */
    public record Fault(String file, String problem, boolean derived) {}
}
