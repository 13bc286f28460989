package dev.pollux.rag.source;

import dev.pollux.retrieval.Document;

/** Takes what a {@link DocumentSource} holds. <em>Not thread-safe: one thread at a time.</em> */
public interface DocumentSink {

    /** Announces how many documents will follow, skipped ones included, if the source knows. */
    void expect(long documents);

    /** Takes a document. */
    void document(Document document);

    /**
     * Takes note of a document that is there but cannot be read now; what was read of it earlier stays valid.
     *
     * @param id the document's id; with {@code /} at its end, all documents whose ids begin so
     * @param reason why, such as {@code cannot be read; check its permissions}
     */
    void skipped(String id, String reason);

    /**
     * Takes note of a file that the source does not read; what was read of it earlier is deleted.
     *
     * @param id the id it would have; a folder's ends in {@code /}
     * @param kind the type of a document that is of no type that can be read, such as {@code PDF}; else empty
     * @param reason why, such as {@code is left out by .gitignore}
     */
    void unread(String id, String kind, String reason);

    /**
     * Takes note of something to know about the document that is handed next, such as a byte that is in no encoding.
     *
     * @param id its id
     * @param message what, to be read after the id
     */
    void notice(String id, String message);
}
