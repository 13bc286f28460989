package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Document;

/**
 * A document with a vector that the host computed. It is stored as one passage, whatever its length. <em>Immutable as long as the
 * host does not change the vector.</em>
 *
 * @param document the document; its text may be empty
 * @param vector (dimension); finite and not zero, of any length: it is stored L2-normalised
 */
public record EmbeddedDocument(Document document, float[] vector) {}
