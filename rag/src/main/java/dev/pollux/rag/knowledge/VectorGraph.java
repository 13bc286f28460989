package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;
import io.github.jbellis.jvector.disk.ByteBufferReader;
import io.github.jbellis.jvector.disk.RandomAccessReader;
import io.github.jbellis.jvector.disk.ReaderSupplier;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.SearchResult;
import io.github.jbellis.jvector.graph.disk.OnDiskGraphIndex;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.graph.similarity.ScoreFunction;
import io.github.jbellis.jvector.quantization.PQVectors;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.IntPredicate;

/**
 * A graph over the rows of a segment, for approximate search. <em>Immutable, thread-safe.</em>
 */
final class VectorGraph {

    /*
     * The graph is JVector's: Vamana (Subramanya et al., "DiskANN", NeurIPS 2019) in every layer of a hierarchy as in HNSW (Malkov and
     * Yashunin, arXiv 1603.09320). Traversal compares codes of a product quantizer (Jégou et al., TPAMI 2011), whose tables fit
     * the second cache; the best of those are compared again by their exact vectors in the mapped VectorFile, with the kernel of
     * the exact scan, so a hit has the same score whichever way it was found.
     *
     * Invariants: node r is row r; the graph has every row of the segment, deleted ones too, so that it never changes; what is
     * deleted or excluded by a filter is traversed and not returned.
     *
     * Rejected: vectors inside the graph file. They would be on the disk twice, and traversal by exact vectors visits as many
     * pages as nodes. Measured by others at equal recall: 2.5 times slower.
     */

    /** The version of JVector's format that is written. */
    static final int JVECTOR_FORMAT = 6;

    /** Candidates that are compared exactly, for a request of few hits and for each hit of a larger one. */
    private static final int LEAST_CANDIDATES = 80;

    private static final int CANDIDATES_PER_HIT = 2;

    /** Idle searchers that are kept; a searcher has about 4 bytes of scratch for each node visited. */
    private static final int SEARCHERS = 16;

    private final OnDiskGraphIndex graph;
    private final PQVectors codes;
    private final VectorRows vectors;
    private final ConcurrentLinkedDeque<GraphSearcher> searchers = new ConcurrentLinkedDeque<>();

    private VectorGraph(OnDiskGraphIndex graph, PQVectors codes, VectorRows vectors) {
        this.graph = graph;
        this.codes = codes;
        this.vectors = vectors;
    }

    /** The default number of candidates for {@code k} hits. */
    static int candidates(int k) {
        return Math.max(LEAST_CANDIDATES, CANDIDATES_PER_HIT * k);
    }

    static VectorGraph open(ByteBuffer codes, ByteBuffer graph, VectorRows vectors) throws IOException {
        JVectorRuntime.initialize();
        try {
            PQVectors loaded = PQVectors.load(new ByteBufferReader(big(codes)));
            return new VectorGraph(OnDiskGraphIndex.load(new Slice(graph), 0), loaded, vectors);
        } catch (RuntimeException e) {
            throw new DerivedHeader.DamagedException("cannot be read by JVector: " + e.getMessage());
        }
    }

    private static ByteBuffer big(ByteBuffer bytes) {
        return bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
    }

    /** Readers of a part of a mapped file. */
    private record Slice(ByteBuffer bytes) implements ReaderSupplier {
        @Override
        public RandomAccessReader get() {
            return new ByteBufferReader(big(bytes).slice().order(ByteOrder.BIG_ENDIAN));
        }
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
    int search(float[] query, int k, int candidates, IntPredicate allowed, RowSink to) throws IOException {
        ExactScore exact = new ExactScore(query, vectors);
        DefaultSearchScoreProvider scores = new DefaultSearchScoreProvider(
                codes.precomputedScoreFunctionFor(
                        JVectorRuntime.VECTORS.createFloatVector(query.clone()), VectorSimilarityFunction.DOT_PRODUCT),
                exact);
        GraphSearcher searcher = searchers.poll();
        if (searcher == null) {
            searcher = new GraphSearcher(graph);
        }
        SearchResult found = searcher.search(scores, k, candidates, 0f, 0f, allowed::test);
        if (searchers.size() < SEARCHERS) {
            searchers.push(searcher);
        } else {
            searcher.close();
        }
        for (SearchResult.NodeScore node : found.getNodes()) {
            to.row(node.node, exact.dot(node.node));
        }
        return found.getNodes().length;
    }

    /** Takes rows with their scores. */
    @FunctionalInterface
    interface RowSink {
        void row(int row, float dot);
    }

    /** Exact inner products with one vector, as JVector's scores in [0, 1]. <em>Confined to one thread.</em> */
    static final class ExactScore implements ScoreFunction.ExactScoreFunction {

        private final float[] query;
        private final VectorRows vectors;
        private final float[] row;
        private final float[] dot = new float[1];

        ExactScore(float[] query, VectorRows vectors) {
            this.query = query;
            this.vectors = vectors;
            this.row = new float[query.length];
        }

        float dot(int node) {
            vectors.copy(node, 1, row);
            DotKernels.BEST.dots(query, row, 0, 1, dot);
            return dot[0];
        }

        @Override
        public float similarityTo(int node) {
            return (1 + dot(node)) / 2;
        }
    }
}
