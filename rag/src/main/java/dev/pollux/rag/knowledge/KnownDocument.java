package dev.pollux.rag.knowledge;

/**
 * A document in a knowledge base. <em>Immutable.</em>
 *
 * @param source name of its source
 * @param id its id in the source
 * @param path what a reader opens, such as the absolute path of its file or a URL; its id where nothing more is known
 * @param mediaType how it was read
 * @param passages its passages
 * @param characters length of its text in UTF-16 units
 * @param hash SHA-256 of its own path, media type, metadata and text, in hex
 */
public record KnownDocument(
        String source, String id, String path, String mediaType, int passages, int characters, String hash) {}
