package dev.pollux.rag.knowledge;

import java.time.Duration;
import java.util.List;

/**
 * What an ingest did. <em>Immutable.</em>
 *
 * @param source the source's name in the knowledge base
 * @param added documents that are new
 * @param updated documents that were replaced, because their content or the chunking changed
 * @param unchanged documents left as they were, without embedding or writing
 * @param deleted documents removed because the source no longer holds them
 * @param skipped documents, or folders, that could not be read; what was ingested from them before stays
 * @param skippedFiles the files that were skipped, and those of kinds that are not read
 * @param passages passages written, of added and updated documents
 * @param embedded texts that went through the embedder
 * @param reused passages whose vector was known already
 * @param elapsed wall time
 * @param notices why documents were skipped, what was read with a reservation, and the like; the first 1000
 */
public record IngestReport(
        String source,
        int added,
        int updated,
        int unchanged,
        int deleted,
        int skipped,
        SkippedFiles skippedFiles,
        int passages,
        int embedded,
        int reused,
        Duration elapsed,
        List<String> notices) {

    public IngestReport {
        notices = List.copyOf(notices);
    }
}
