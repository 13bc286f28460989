package dev.pollux.rag.knowledge;

import java.time.Duration;
import java.util.List;

/**
 * The result of an ingest. <em>Immutable.</em>
 *
 * @param source the source's name in the knowledge base
 * @param added number of new documents
 * @param updated number of documents replaced because their content or the chunking changed
 * @param unchanged number of documents neither embedded nor written
 * @param deleted number of documents deleted because the source no longer has them
 * @param renamed number of documents that have another id than before and the same text; they are not counted as added or
 *     deleted
 * @param failedRecords number of records of the source, such as rows, that could not be read; they are part of {@code skipped}
 * @param skipped number of documents or folders that could not be read; their earlier content stays in the knowledge base
 * @param skippedFiles files that were skipped, including those of unsupported types
 * @param passages number of passages written for added and updated documents
 * @param embedded number of texts embedded
 * @param reused number of passages whose stored vector was reused
 * @param elapsed wall time
 * @param notices messages such as reasons for skipped documents or decoding errors; the first 1000
 */
public record IngestReport(
        String source,
        int added,
        int updated,
        int unchanged,
        int deleted,
        int renamed,
        int failedRecords,
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
