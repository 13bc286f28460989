package dev.pollux.retrieval;

/**
 * A passage that was found. <em>Immutable.</em>
 *
 * @param passage what was found
 * @param score higher is better; its scale is the retriever's and is comparable only within one result list
 */
public record Hit(Passage passage, double score) {}
