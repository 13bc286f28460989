package dev.pollux.rag.knowledge;

/**
 * A document in a knowledge base. <em>Immutable.</em>
 *
 * @param source name of its source
 * @param id its id in the source
 * @param path address that a user opens, such as the absolute path of its file or a URL; its id if no address is known
 * @param mediaType media type it was read as
 * @param passages number of its passages
 * @param characters length of its text in UTF-16 units
 * @param hash SHA-256 of its own path, media type, metadata and text, in hex
 */
public record KnownDocument(
        String source, String id, String path, String mediaType, int passages, int characters, String hash) {}
