package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;

/** Receives the documents of a {@link DocumentSource}. <em>Not thread-safe: one thread at a time.</em> */
public interface DocumentSink {

    /** Announces the number of documents that will follow, including skipped ones, if the source knows it. */
    void expect(long documents);

    /** Receives a document. */
    void document(Document document);

    /**
     * Receives the only document of a file. By default it is {@link #document(Document)}.
     *
     * @param version the file before it was read
     */
    default void document(Document document, FileVersion version) {
        document(document);
    }

    /**
     * Whether the document of a file is known in this version. If so, the source does not read the file, and the document
     * counts as received. Default: false.
     *
     * @param id the id of the file's only document; if it ends in {@code /}, all documents of the file, whose ids begin with it
     */
    default boolean isUnchanged(String id, FileVersion version) {
        return false;
    }

    /**
     * Ends the documents of a file for which {@link #isUnchanged} was false, if there is a document for each of its records. By
     * default nothing is done.
     *
     * @param id the id as in {@link #isUnchanged}, which ends in {@code /}
     * @param version the file before it was read
     */
    default void complete(String id, FileVersion version) {}

    /**
     * Reports a document that exists but cannot be read now; its earlier content stays valid.
     *
     * @param id the document's id; if it ends in {@code /}, all documents whose ids begin with it; {@code /} alone means all
     *     documents of the source
     * @param reason the reason, such as {@code cannot be read; check its permissions}
     */
    void skipped(String id, String reason);

    /**
     * Reports a record of a source, such as a row of a table, that cannot be read; the source goes on with the next one. By
     * default it is {@link #skipped}.
     *
     * @param id the id that the record's document has or would have
     * @param reason the reason, which names the row or line
     */
    default void failedRecord(String id, String reason) {
        skipped(id, reason);
    }

    /**
     * Reports a file that the source does not read; its earlier content is deleted.
     *
     * @param id the id that the file would have; the id of a folder ends in {@code /}
     * @param kind the unsupported document type, such as {@code PDF}; else empty
     * @param reason the reason, such as {@code is left out by .gitignore}
     */
    void unread(String id, String kind, String reason);

    /**
     * Reports a notice about the next document, such as an invalid byte.
     *
     * @param id its id
     * @param message the notice, as a phrase that follows the id
     */
    void notice(String id, String message);
}
