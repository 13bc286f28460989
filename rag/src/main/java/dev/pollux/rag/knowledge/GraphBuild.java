package dev.pollux.rag.knowledge;

import io.github.jbellis.jvector.disk.IndexWriter;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.disk.GraphIndexWriter;
import io.github.jbellis.jvector.graph.disk.OnDiskSequentialGraphIndexWriter;
import io.github.jbellis.jvector.graph.disk.feature.FeatureId;
import io.github.jbellis.jvector.graph.disk.feature.InlineVectors;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.graph.similarity.SearchScoreProvider;
import io.github.jbellis.jvector.quantization.PQVectors;
import io.github.jbellis.jvector.quantization.ProductQuantization;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Builds the graph and the codes of a segment. <em>One thread at a time.</em> */
final class GraphBuild implements AutoCloseable {

    /*
     * Nodes are inserted one by one, in parallel on a pool that belongs to this build; cleanup then refines every node once
     * (O(N)) and there is nothing to clean up later, since the graph never changes. Scores are inner products of the mapped
     * vectors by the kernel of the exact scan, so that a JVM without JVector's own SIMD builds as fast as one with it, and the
     * heap holds the graph's edges, about 400 bytes a node, and no vectors.
     *
     * Codes: one byte for 4 dimensions, 256 centroids, trained on a sample.
     */

    /** Maximum degree of the base layer; twice the M of HNSW. */
    private static final int DEGREE = 32;

    private static final int BEAM = 100;
    private static final float OVERFLOW = 1.2f;
    private static final float ALPHA = 1.2f;

    private static final int DIMENSIONS_PER_CODE = 4;
    private static final int CENTROIDS = 256;
    private static final int SAMPLE = 20_000;
    private static final long SEED = 1;
    private static final int REPORT = 1_000;

    private final VectorRows vectors;
    private final GraphIndexBuilder builder;
    private final ImmutableGraphIndex graph;
    private final PQVectors codes;

    private GraphBuild(VectorRows vectors, GraphIndexBuilder builder, PQVectors codes) {
        this.vectors = vectors;
        this.builder = builder;
        this.graph = builder.getGraph();
        this.codes = codes;
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
                scores, vectors.dimension(), DEGREE, BEAM, OVERFLOW, ALPHA, true, true, pool, pool);
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
        int subspaces = Math.max(1, vectors.dimension() / DIMENSIONS_PER_CODE);
        ProductQuantization quantizer =
                ProductQuantization.compute(sample(vectors), subspaces, CENTROIDS, false, -1, pool, pool);
        checkRunning(cancelled);
        PQVectors codes = quantizer.encodeAll(new Values(vectors, null), pool);
        return new GraphBuild(vectors, builder, codes);
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

    private static RandomAccessVectorValues sample(VectorRows vectors) {
        int[] rows = vectors.rows() <= SAMPLE
                ? IntStream.range(0, vectors.rows()).toArray()
                : new Random(SEED)
                        .ints(0, vectors.rows())
                        .distinct()
                        .limit(SAMPLE)
                        .toArray();
        return new Values(vectors, rows);
    }

    void writeCodes(Path file) throws IOException {
        try (Output out = new Output(Files.newOutputStream(file))) {
            codes.write(out, VectorGraph.JVECTOR_FORMAT);
        }
    }

    /** JVector writes no graph without vectors; so each node has one of one element, which no search reads. */
    void writeGraph(Path file) throws IOException {
        try (Output out = new Output(Files.newOutputStream(file));
                GraphIndexWriter writer = new OnDiskSequentialGraphIndexWriter.Builder(graph, out)
                        .withVersion(VectorGraph.JVECTOR_FORMAT)
                        .with(new InlineVectors(1))
                        .build()) {
            InlineVectors.State none = new InlineVectors.State(JVectorRuntime.VECTORS.createFloatVector(1));
            writer.write(Map.of(FeatureId.INLINE_VECTORS, node -> none));
        }
    }

    int rows() {
        return vectors.rows();
    }

    @Override
    public void close() throws IOException {
        builder.close();
    }

    /** JVector's view of the rows, or of some of them. */
    private static final class Values implements RandomAccessVectorValues {

        private final VectorRows vectors;
        private final int @Nullable [] rows;

        Values(VectorRows vectors, int @Nullable [] rows) {
            this.vectors = vectors;
            this.rows = rows;
        }

        @Override
        public int size() {
            return rows == null ? vectors.rows() : rows.length;
        }

        @Override
        public int dimension() {
            return vectors.dimension();
        }

        @Override
        public VectorFloat<?> getVector(int node) {
            return JVectorRuntime.VECTORS.createFloatVector(vectors.get(rows == null ? node : rows[node]));
        }

        @Override
        public boolean isValueShared() {
            return false;
        }

        @Override
        public RandomAccessVectorValues copy() {
            return this;
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
            return new DefaultSearchScoreProvider(new VectorGraph.ExactScore(query, vectors));
        }
    }

    /** A stream as JVector writes to it. */
    private static final class Output extends DataOutputStream implements IndexWriter {

        Output(OutputStream to) {
            super(new BufferedOutputStream(to, 1 << 16));
        }

        @Override
        public long position() {
            return written; // graphs and codes are limited to 2^31 - 1 bytes, as their mapping is
        }
    }
}
