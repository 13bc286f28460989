package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.nio.file.Path;
import java.util.List;

/**
 * A named set of documents, such as a folder.
 *
 * <p>A source owns its documents in a knowledge base: what it no longer holds when it is read again is deleted there,
 * and documents of other sources are left alone, even where the ids are equal. <em>Thread-safe.</em>
 */
public interface DocumentSource {

    /**
     * The name of the namespace, the same at each reading; not blank, without {@code #} and control characters, at most
     * 4096 characters.
     */
    String name();

    /**
     * Hands every document to {@code sink}, in a stable order.
     *
     * @throws dev.pollux.StorageException if the source as a whole cannot be read
     */
    void read(DocumentSink sink);

    /**
     * The Markdown and text files of a folder and the folders in it, under {@link FolderOptions#DEFAULTS}.
     *
     * @param folder named by its absolute path; give {@link FolderOptions#name()} to a folder that may move
     */
    static DocumentSource folder(Path folder) {
        return folder(folder, FolderOptions.DEFAULTS);
    }

    /**
     * The files of a folder and the folders in it, sorted by id.
     *
     * <p>An id is the path relative to the folder, with {@code /} between names. Hidden files and folders are left out;
     * links are followed to files inside the folder and nowhere else. A file is read as UTF-8 and its byte order mark
     * is taken off; one that is not UTF-8, holds a NUL character, is too large or cannot be read is skipped with a
     * reason.
     */
    static DocumentSource folder(Path folder, FolderOptions options) {
        return new FolderSource(folder, options);
    }

    /**
     * Documents in memory.
     *
     * @throws IllegalArgumentException if two have the same id
     */
    static DocumentSource of(String name, List<Document> documents) {
        return new ListSource(name, documents);
    }
}
