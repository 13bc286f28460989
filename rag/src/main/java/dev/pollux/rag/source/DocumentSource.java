package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * A set of documents, such as a folder.
 *
 * <p>A source owns its documents in a knowledge base. If a document is missing when the source is read again, the knowledge
 * base deletes it. Documents of other sources are not affected, even if their ids are equal.
 *
 * <p>A knowledge base identifies a source by its given name or, without one, by its path. If a known path no longer exists
 * and its documents are found at another path, the source has moved: it keeps its identity and gets the new path.
 * <em>Thread-safe.</em>
 */
public interface DocumentSource {

    /**
     * The name of the source, the same at each reading; not blank, without {@code #} and control characters, at most 4096
     * characters.
     */
    String name();

    /**
     * The root of its documents, such as the real path of a folder or the URL of a site. A user opens {@code path() + "/" +
     * id}. Empty, the default, if there is no such root.
     */
    default String path() {
        return "";
    }

    /**
     * The path that the caller gave, if it reaches {@link #path()} through a link; else empty, the default. A source that is
     * read through the same link again keeps its identity, even if the link now has another target.
     */
    default String link() {
        return "";
    }

    /**
     * Whether the caller gave the name, so that it identifies the source. Otherwise the path identifies it, and a knowledge
     * base may extend the name to make it unique. Default: true.
     */
    default boolean isNamed() {
        return true;
    }

    /**
     * Passes every document to {@code sink}, in a stable order.
     *
     * @throws dev.pollux.StorageException if the source as a whole cannot be read
     */
    void read(DocumentSink sink);

    /**
     * This source with further metadata: each document gets the fields of the rules that match its id, in place of fields that
     * the source or the document's front matter set. Of two rules for a field the later one counts.
     *
     * <p>A knowledge base stores the rules of a source and applies them at each later ingest of it, as long as that ingest brings
     * none, so that a field on which an access right depends does not vanish. Other rules take their place; an empty list
     * ends them.
     */
    default DocumentSource withMetadata(List<MetadataRule> rules) {
        return new RuledSource(this, rules);
    }

    /** The rules given to {@link #withMetadata}; absent, the default, if it was not called. */
    default Optional<List<MetadataRule>> metadataRules() {
        return Optional.empty();
    }

    /** The documents of a folder and the folders in it, under {@link FolderOptions#DEFAULTS}. */
    static DocumentSource folder(Path folder) {
        return folder(folder, FolderOptions.DEFAULTS);
    }

    /**
     * The files of a folder and the folders in it, sorted by id.
     *
     * <p>A document's id is its path relative to the folder, with {@code /} between names. The path of the source is the
     * real path of the folder: a link, a relative path and, on a case-insensitive file system, another case give the same
     * source. The source has the folder's name and is identified by its path, unless {@link FolderOptions#name()} is set.
     *
     * <p>The type of a file follows from its extension. Markdown: {@code md}, {@code markdown}, {@code mdx}, {@code qmd} and
     * others. Plain text: {@code txt}, {@code rst}, {@code adoc}, {@code org}, {@code tex}, {@code log} and others, and files
     * such as README without an extension. Tables: {@code csv}, {@code tsv}. A document of each line: {@code jsonl}, {@code
     * ndjson}, by {@link FieldMapping#DEFAULTS}. Source code: {@code java}, {@code py}, {@code ts} and others. Types of an
     * installed {@link DocumentReader}, such as PDF. Files of other types are only counted. Hidden files
     * and folders, and those excluded by a {@code .gitignore}, are ignored. Links are followed only to files inside the
     * folder.
     *
     * <p>Encodings: UTF-8; UTF-16 or UTF-32 by byte order mark; UTF-16 without a mark if the bytes clearly show it;
     * Windows-1252 if the bytes are not UTF-8 and plausible in it. A few invalid bytes become U+FFFD. The sink receives a
     * notice for each such uncertain reading. A file that is not text, is too large or cannot be read is skipped with a
     * reason.
     */
    static DocumentSource folder(Path folder, FolderOptions options) {
        return new FolderSource(folder, options);
    }

    /** One file with any extension, as a source of one document. It is decoded like a file of a folder. */
    static DocumentSource file(Path file) {
        return file(file, FolderOptions.DEFAULTS);
    }

    /** One file with options; only the name, the maximum size and the isolation are used. */
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

    /**
     * Documents of the host, which are made one by one while they are read, so that their number is not limited by memory.
     *
     * <p>If the stream throws, the document is skipped with its number, and the next one is read. After three failures in
     * a row no more are read, and what is known of the source stays.
     *
     * @param documents called for each reading; the stream is closed after it
     */
    static DocumentSource stream(String name, Supplier<? extends Stream<Document>> documents) {
        return new IteratorSource(name, documents);
    }

    /**
     * The records of a CSV or JSON Lines file of any size, in UTF-8, each as a document. A record that is not valid is skipped with
     * its line. The id is the name of the file, {@code /} and the id of the record.
     */
    static DocumentSource records(Path file, FieldMapping mapping) {
        return new RecordSource(file, mapping);
    }

    /**
     * The rows of a database query, each as a document, read in one read-only transaction. A row that cannot be read is skipped
     * with its number; after three in a row no more are read.
     *
     * @param database the host's; a connection is taken from it for each reading
     * @param query an SQL query without parameters
     */
    static DocumentSource query(String name, DataSource database, String query, FieldMapping mapping) {
        return new QuerySource(name, database, query, mapping);
    }

    /**
     * The pages of a web site from a local mirror of it, as its {@code sitemap.xml} lists them. Nothing is fetched. The path of
     * a document is the address of its page.
     *
     * @param folder the mirror, with the files in the folders of their addresses
     * @param site address of the root of the mirror, such as {@code https://example.org}
     */
    static DocumentSource web(Path folder, String site) {
        return new WebFolderSource(folder, site, Optional.empty());
    }

    /**
     * The listed pages of a web site from a local mirror of it.
     *
     * @param pages a text file in UTF-8 with an address, or a path below the site, in each line
     */
    static DocumentSource web(Path folder, String site, Path pages) {
        return new WebFolderSource(folder, site, Optional.of(pages));
    }
}
