package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.nio.file.Path;
import java.util.List;

/**
 * A set of documents, such as a folder.
 *
 * <p>A source owns its documents in a knowledge base: what it no longer holds when it is read again is deleted there,
 * and documents of other sources are left alone, even where the ids are equal.
 *
 * <p>A knowledge base knows a source again by the name it was given, or, where it was given none, by its path. A source that
 * was known at a path where nothing is any more, and whose documents are now at another, has moved: it is known again, and
 * takes the new path. <em>Thread-safe.</em>
 */
public interface DocumentSource {

    /**
     * What it is called, the same at each reading; not blank, without {@code #} and control characters, at most 4096
     * characters.
     */
    String name();

    /**
     * Where its documents are, such as the real path of a folder or the address of a site: with {@code /} and a document's
     * id at its end it is what a reader opens. Empty where there is no such place; this default.
     */
    default String path() {
        return "";
    }

    /**
     * The path that it was named by, where that leads to {@link #path()} by a link; else empty, the default. A source that is
     * read by the same link again is the same, though the link leads elsewhere now.
     */
    default String link() {
        return "";
    }

    /**
     * Whether the name was given to it, and says which source it is. Else the path says so, and a knowledge base may add to
     * the name to tell sources apart. Default: true.
     */
    default boolean isNamed() {
        return true;
    }

    /**
     * Hands every document to {@code sink}, in a stable order.
     *
     * @throws dev.pollux.StorageException if the source as a whole cannot be read
     */
    void read(DocumentSink sink);

    /** The Markdown and text files of a folder and the folders in it, under {@link FolderOptions#DEFAULTS}. */
    static DocumentSource folder(Path folder) {
        return folder(folder, FolderOptions.DEFAULTS);
    }

    /**
     * The files of a folder and the folders in it, sorted by id.
     *
     * <p>An id is the path relative to the folder, with {@code /} between names. The path is the folder's real one, so that a
     * link, a relative path or another case of letters, where the file system knows none, is the same source; the name is
     * the folder's, and the path says which source it is, unless there is a {@link FolderOptions#name()}.
     *
     * <p>Markdown is read by its endings ({@code md}, {@code markdown}, {@code mdx}, {@code qmd} and others), and as plain
     * text {@code txt}, {@code rst}, {@code adoc}, {@code org}, {@code tex}, {@code csv}, {@code tsv}, {@code log} and
     * others, and README and its like without an ending. Files of other types are counted. Hidden files and folders, and
     * those that a {@code .gitignore} leaves out, are not looked at; links are followed to files inside the folder and
     * nowhere else.
     *
     * <p>A file is read as UTF-8, as UTF-16 or UTF-32 by its byte order mark, as UTF-16 without one where that is plain, or
     * as Windows-1252 where it is no UTF-8 and makes sense so; a few bytes that are wrong become U+FFFD. What is read with
     * such a reservation is told to the sink; a file that is no text, is too large or cannot be read is skipped with a
     * reason.
     */
    static DocumentSource folder(Path folder, FolderOptions options) {
        return new FolderSource(folder, options);
    }

    /** One file, whatever its ending says, as a source of one document; read as a file of a folder. */
    static DocumentSource file(Path file) {
        return file(file, FolderOptions.DEFAULTS);
    }

    /** The same with options, of which the name and the size count. */
    static DocumentSource file(Path file, FolderOptions options) {
        return new FileSource(file, options);
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
