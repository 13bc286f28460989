package dev.pollux.rag.knowledge;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import java.time.Instant;
import java.util.List;

/**
 * A source in a knowledge base. <em>Immutable.</em>
 *
 * @param name its name, unique in the knowledge base
 * @param path root path of its documents, such as the real path of a folder; empty if unknown
 * @param documents number of its documents
 * @param passages number of their passages
 * @param lastChange time of the last ingest that changed the knowledge base
 * @param missing whether {@code path} no longer existed when the knowledge base was opened or last changed; its documents
 *     are found until the source is deleted
 * @param skipped its files that are not in the knowledge base
 * @param metadataRules the metadata rules in force, see {@link DocumentSource#withMetadata}
 */
public record KnownSource(
        String name,
        String path,
        int documents,
        int passages,
        Instant lastChange,
        boolean missing,
        SkippedFiles skipped,
        List<MetadataRule> metadataRules) {

    public KnownSource {
        metadataRules = List.copyOf(metadataRules);
    }
}
