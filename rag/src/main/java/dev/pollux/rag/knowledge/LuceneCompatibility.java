package dev.pollux.rag.knowledge;

import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.Version;

/**
 * Compatibility with versions of Lucene: the host may use another version than Pollux was built with, and a third may have
 * written the index. <em>Thread-safe.</em>
 */
final class LuceneCompatibility {

    /** The first version that reads stored fields as {@link Snapshot} does. */
    private static final String OLDEST = "9.5";

    private static final String ARTIFACTS = "org.apache.lucene:lucene-core and lucene-analysis-common";

    private LuceneCompatibility() {}

    /**
     * Rejects an unusable Lucene before any of its other classes is loaded.
     *
     * @throws PolluxException if it is too old, or made for a newer Java than this one
     */
    static void check() {
        try {
            Version present = Version.LATEST;
            if (!present.onOrAfter(Version.fromBits(9, 5, 0))) {
                throw new PolluxException(
                        "A knowledge base needs Lucene " + OLDEST + " or newer but the class path has " + present
                                + "; let " + ARTIFACTS + " have version " + OLDEST + " or newer");
            }
        } catch (UnsupportedClassVersionError e) {
            throw new PolluxException(
                    "The Lucene on the class path is compiled for a newer Java than "
                            + Runtime.version().feature() + " (Lucene 10 needs 21); let " + ARTIFACTS
                            + " have version " + OLDEST + " to 9.12, or run a newer Java",
                    e);
        }
    }

    /**
     * The newest commit of the index of a knowledge base.
     *
     * @throws StorageException if another version of Lucene wrote it, and this one cannot read it
     */
    static SegmentInfos newestCommit(Path folder, Directory directory) throws IOException {
        try {
            return SegmentInfos.readLatestCommit(directory);
        } catch (IllegalArgumentException e) { // Lucene's answer to a codec or a major version that it does not know
            throw otherVersion(folder, e);
        }
    }

    /** The message for an index version that this Lucene cannot read. */
    static StorageException otherVersion(Path folder, Exception e) {
        return new StorageException(
                "The knowledge base in " + folder + " was written by another version of Lucene than " + Version.LATEST
                        + ", which is on the class path; if that one was older, put"
                        + " org.apache.lucene:lucene-backward-codecs:"
                        + Version.LATEST
                        + " on the class path; else open it with the version that wrote it, or ingest into a new"
                        + " folder",
                e);
    }
}
