package dev.pollux.rag.knowledge;

import java.time.Instant;

/**
 * A source in a knowledge base. <em>Immutable.</em>
 *
 * @param name its name, unique in the knowledge base
 * @param path where its documents are, such as the real path of a folder; empty where that is not known
 * @param documents its documents
 * @param passages their passages
 * @param lastChange when reading it last changed something here
 * @param missing whether there was nothing under {@code path} any more when the knowledge base was opened or last changed;
 *     its documents are still found until it is deleted
 * @param skipped its files that are not here
 */
public record KnownSource(
        String name,
        String path,
        int documents,
        int passages,
        Instant lastChange,
        boolean missing,
        SkippedFiles skipped) {}
