package dev.pollux.rag.knowledge;

import java.nio.file.Path;

/**
 * What decides how the vectors of a knowledge base are stored and searched. <em>Immutable.</em>
 *
 * @param folder of the knowledge base
 * @param dimension of its vectors
 * @param codes whether vector files have 8-bit codes
 * @param mappedFrom number of vectors from which a segment has a vector file; smaller ones are on the heap
 * @param graphFrom number of vectors from which a segment has a graph, and of allowed vectors from which it is searched
 */
record IndexSettings(Path folder, int dimension, boolean codes, int mappedFrom, int graphFrom) {

    /** A file for fewer vectors would cost more than it saves: at 384 dimensions they have 1.5 MB. */
    static final int MAPPED_FROM = 1_024;

    /** A graph file is limited to 2^31 - 1 bytes; JVector needs about 230 a node with vectors of 384 dimensions. */
    private static final int GRAPH_TO = 8_000_000;

    boolean isMapped(int rows) {
        return rows >= mappedFrom;
    }

    boolean hasGraph(int rows) {
        return rows >= graphFrom && rows <= GRAPH_TO;
    }

    SearchPlan plan(int allowed, int rows) {
        return SearchPlan.of(allowed, rows, graphFrom);
    }
}
