package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** A graph over the rows of a segment, for approximate search. <em>Immutable, thread-safe.</em> */
final class VectorGraph {

    /*
     * The graph is Vamana (Subramanya et al., "DiskANN", NeurIPS 2019) in every layer of a hierarchy as in HNSW (Malkov and Yashunin,
     * arXiv 1603.09320); JVector builds it. A search descends greedily from the entry through the upper layers and then follows the
     * best candidates of the base layer until none is better than the worst of the best ones that it has (algorithm 2 there).
     *
     * What a search costs is waiting for memory: about 1,500 rows at random places. So traversal compares the 8-bit codes of the
     * VectorFile, a quarter of the floats and nearly as exact, all unseen neighbours of a row at once, so that their loads overlap.
     * The best are compared again by their floats, with the kernel of the exact scan: a hit has the same score whichever way it was
     * found. Without codes, or where the loop over bytes is slower, the floats are used throughout.
     *
     * Invariants: node r is row r; the graph has every row of the segment, deleted ones too, so that it never changes; what is
     * deleted or excluded by a filter is traversed and not returned. A neighbour that is no row, in a damaged file, is ignored.
     */

    /** Candidates that are compared exactly, for a request of few hits and for each hit of a larger one. */
    private static final int LEAST_CANDIDATES = 80;

    private static final int CANDIDATES_PER_HIT = 2;

    /** Idle searchers that are kept; a searcher has a bit for each row and about 16 bytes for each row visited. */
    private static final int SEARCHERS = 16;

    private final GraphLayers layers;
    private final VectorRows vectors;
    private final @Nullable VectorCodes codes;
    private final ConcurrentLinkedDeque<GraphSearch> searchers = new ConcurrentLinkedDeque<>();

    /** @param codes of the vectors; null if there are none or the loop over bytes is slow */
    VectorGraph(GraphLayers layers, VectorRows vectors, @Nullable VectorCodes codes) {
        this.layers = layers;
        this.vectors = vectors;
        this.codes = codes;
    }

    /** The default number of candidates for {@code k} hits. */
    static int candidates(int k) {
        return Math.max(LEAST_CANDIDATES, CANDIDATES_PER_HIT * k);
    }

    /**
     * Offers the approximately best allowed rows to {@code to} with their exact inner products.
     *
     * @param query (dimension)
     * @param k number of rows wanted
     * @param allowed which rows may be found
     * @param candidates number of rows that are compared exactly
     * @return the number of rows offered, at most {@code k}
     */
    int search(float[] query, int k, int candidates, IntPredicate allowed, RowSink to) {
        GraphSearch search = searchers.poll();
        if (search == null) {
            search = new GraphSearch(layers);
        }
        int[] found = search.nearest(scores(query), Math.max(k, candidates), allowed); // (≤ candidates)
        if (searchers.size() < SEARCHERS) {
            searchers.push(search);
        }
        TopHits top = new TopHits(Math.min(k, found.length));
        float[] row = new float[query.length];
        float[] dot = new float[1];
        for (int each : found) {
            vectors.copy(each, 1, row);
            DotKernels.BEST.dots(query, row, 0, 1, dot);
            top.offer(each, dot[0]);
        }
        top.drain().forEach(hit -> to.row(hit.id(), (float) hit.score()));
        return Math.min(k, found.length);
    }

    private GraphSearch.Scores scores(float[] query) {
        if (codes != null) {
            return codes.new Bound(query)::dots;
        }
        float[] scratch = new float[GraphLayers.DEGREE * query.length];
        return (rows, count, into) -> {
            vectors.gather(rows, count, scratch);
            DotKernels.BEST.dots(query, scratch, 0, count, into);
        };
    }

    /** Takes rows with their scores. */
    @FunctionalInterface
    interface RowSink {
        void row(int row, float dot);
    }
}
