package dev.pollux.rag.knowledge;

/**
 * A file of a source that is not in the knowledge base. <em>Immutable.</em>
 *
 * @param file its id in the source, such as a path relative to the folder; a folder's ends in {@code /}
 * @param reason reason, such as {@code is PDF, which is not read}
 */
public record SkippedFile(String file, String reason) {}
