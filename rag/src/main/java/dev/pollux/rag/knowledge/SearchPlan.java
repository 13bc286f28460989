package dev.pollux.rag.knowledge;

/** The choice between the exact scan and the graph of a segment. */
enum SearchPlan {
    /** Compares every allowed vector: exact. */
    SCAN,
    /** Searches the graph: approximate. */
    GRAPH;

    /*
     * A filter does not shorten the traversal of a graph, it lengthens it: what is excluded is visited as well. The number of
     * nodes visited grows with rows / allowed, that of a scan falls with allowed. Both limits below come from measurements
     * (docs/benchmarks.md): under 15 % allowed the scan was always faster, by 5,000 times at 0.2 %; under 30,000 vectors the
     * scan takes less than 2 ms, is exact, and needs no graph. Above them, costs in vectors compared decide.
     */

    /** The least number of allowed vectors for a graph. */
    static final int LEAST_ALLOWED = 30_000;

    /** The least share of allowed vectors for a graph. */
    static final double LEAST_SHARE = 0.15;

    /** What a search of a graph costs without a filter, as a number of vectors scanned. */
    private static final long GRAPH_COST = 4_000;

    /**
     * The cheaper plan.
     *
     * @param allowed number of vectors of the segment that may be found
     * @param rows number of its vectors
     * @param leastAllowed {@link #LEAST_ALLOWED}, less in tests
     */
    static SearchPlan of(int allowed, int rows, int leastAllowed) {
        if (allowed < leastAllowed || allowed < LEAST_SHARE * rows) {
            return SCAN;
        }
        long graph = Math.min(GRAPH_COST, rows / 8) * rows / allowed;
        return graph < allowed ? GRAPH : SCAN;
    }
}
