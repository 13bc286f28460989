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
     * @param reason why, such as {@code is not UTF-8}
     */
    void skipped(String id, String reason);
}
