package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.NodesIterator;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.graph.similarity.ScoreFunction;
import io.github.jbellis.jvector.graph.similarity.SearchScoreProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Builds the graph of a segment. <em>One thread at a time.</em> */
final class GraphBuild implements GraphFile.Built, AutoCloseable {

    /*
     * Nodes are inserted one by one, in parallel on a pool that belongs to this build; cleanup then refines every node once
     * (O(N)) and there is nothing to clean up later, since the graph never changes. Scores are inner products of the mapped
     * vectors by the kernel of the exact scan, so that a JVM without JVector's own SIMD builds as fast as one with it, and the
     * heap holds the graph's edges, about 400 bytes a node, and no vectors.
     */

    private static final int BEAM = 100;
    private static final float OVERFLOW = 1.2f;
    private static final float ALPHA = 1.2f;

    private static final int REPORT = 1_000;

    /** Heap of a node: its edges in a growing array, with room for the overflow, and their scores. */
    private static final int BYTES_A_NODE = 500;

    private final GraphIndexBuilder builder;
    private final ImmutableGraphIndex graph;
    private final ImmutableGraphIndex.View view;

    private GraphBuild(GraphIndexBuilder builder) {
        this.builder = builder;
        this.graph = builder.getGraph();
        this.view = graph.getView();
    }

    /**
     * Builds.
     *
     * @param pool threads for the work; they end with the caller's use of the pool
     * @param cancelled asked for every node
     * @throws CancellationException if it was cancelled
     */
    @SuppressWarnings("deprecation") // JVector's own Builder starts from pools of its own and has no hierarchy
    static GraphBuild of(VectorRows vectors, ForkJoinPool pool, BooleanSupplier cancelled, Progress progress) {
        JVectorRuntime.initialize();
        Scores scores = new Scores(vectors);
        GraphIndexBuilder builder = new GraphIndexBuilder(
                scores, vectors.dimension(), GraphLayers.DEGREE, BEAM, OVERFLOW, ALPHA, true, true, pool, pool);
        AtomicInteger done = new AtomicInteger();
        pool.submit(() -> IntStream.range(0, vectors.rows()).parallel().forEach(row -> {
                    checkRunning(cancelled);
                    builder.addGraphNode(row, scores.searchProviderFor(row));
                    int inserted = done.incrementAndGet();
                    if (inserted % REPORT == 0) {
                        progress.nodes(inserted, vectors.rows());
                    }
                }))
                .join();
        checkRunning(cancelled);
        builder.cleanup();
        checkRunning(cancelled);
        return new GraphBuild(builder);
    }

    /**
     * Whether a heap has room for a build beside the rest of the host.
     *
     * @param heap most bytes of the heap
     */
    static boolean fits(int rows, long heap) {
        return (long) rows * BYTES_A_NODE <= heap / 2;
    }

    /** Takes the number of nodes inserted; called from any thread of the pool. */
    @FunctionalInterface
    interface Progress {
        void nodes(int done, int all);
    }

    private static void checkRunning(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) {
            throw new CancellationException("the build of a graph was cancelled");
        }
    }

    @Override
    public int entry() {
        return view.entryNode().node;
    }

    @Override
    public int upper() {
        return graph.getMaxLevel();
    }

    @Override
    public int[] nodes(int layer) {
        NodesIterator nodes = graph.getNodes(layer);
        int[] rows = new int[nodes.size()];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = nodes.nextInt();
        }
        Arrays.sort(rows);
        return rows;
    }

    @Override
    public int neighbours(int layer, int row, int[] into) {
        NodesIterator neighbours = view.getNeighborsIterator(layer, row);
        int count = 0;
        while (neighbours.hasNext() && count < GraphLayers.DEGREE) {
            into[count++] = neighbours.nextInt();
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        try (builder) {
            view.close();
        }
    }

    /** Exact scores by the rows themselves. */
    private record Scores(VectorRows vectors) implements BuildScoreProvider {

        @Override
        public boolean isExact() {
            return true;
        }

        @Override
        public VectorFloat<?> approximateCentroid() {
            int dimension = vectors.dimension();
            double[] sum = new double[dimension];
            float[] row = new float[dimension];
            for (int i = 0; i < vectors.rows(); i++) {
                vectors.copy(i, 1, row);
                for (int j = 0; j < dimension; j++) {
                    sum[j] += row[j];
                }
            }
            float[] mean = new float[dimension];
            for (int j = 0; j < dimension; j++) {
                mean[j] = (float) (sum[j] / Math.max(1, vectors.rows()));
            }
            return JVectorRuntime.VECTORS.createFloatVector(mean);
        }

        @Override
        public SearchScoreProvider searchProviderFor(VectorFloat<?> vector) {
            float[] query = new float[vector.length()];
            for (int i = 0; i < query.length; i++) {
                query[i] = vector.get(i);
            }
            return provider(query);
        }

        @Override
        public SearchScoreProvider searchProviderFor(int node) {
            return provider(vectors.get(node));
        }

        @Override
        public SearchScoreProvider diversityProviderFor(int node) {
            return provider(vectors.get(node));
        }

        private SearchScoreProvider provider(float[] query) {
            return new DefaultSearchScoreProvider(new ExactScore(query, vectors));
        }
    }

    /** Exact inner products with one vector, as JVector's scores in [0, 1]. <em>Confined to one thread.</em> */
    private static final class ExactScore implements ScoreFunction.ExactScoreFunction {

        private final float[] query;
        private final VectorRows vectors;
        private final float[] row;
        private final float[] dot = new float[1];

        ExactScore(float[] query, VectorRows vectors) {
            this.query = query;
            this.vectors = vectors;
            this.row = new float[query.length];
        }

        @Override
        public float similarityTo(int node) {
            vectors.copy(node, 1, row);
            DotKernels.BEST.dots(query, row, 0, 1, dot);
            return (1 + dot[0]) / 2;
        }
    }
}
