package dev.pollux.rag.knowledge;

/**
 * How the vectors of a knowledge base are stored. <em>Immutable.</em>
 *
 * @param segments number of segments; each has its own vectors
 * @param deleted number of passages that are deleted or replaced and still stored, until {@link KnowledgeBase#compact()}
 * @param mapped number of passages whose vectors are in a mapped file
 * @param graphed number of passages that are in a graph
 * @param bytes size of the vector files and graphs
 */
public record IndexStats(int segments, int deleted, int mapped, int graphed, long bytes) {}
