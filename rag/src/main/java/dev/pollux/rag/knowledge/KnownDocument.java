package dev.pollux.rag.knowledge;

/**
 * A document in a knowledge base. <em>Immutable.</em>
 *
 * @param source name of its source
 * @param id its id in the source
 * @param mediaType how it was read
 * @param passages its passages
 * @param characters length of its text in UTF-16 units
 * @param hash SHA-256 of its media type, metadata and text, in hex
 */
public record KnownDocument(String source, String id, String mediaType, int passages, int characters, String hash) {}
