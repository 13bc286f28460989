package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;
import org.jspecify.annotations.Nullable;

/** An exact search with one query, with its scratch. <em>Confined to one thread.</em> */
final class VectorScan {

    /*
     * Rows are compared in blocks, which are copied from the mapped file to one array that stays in the second cache. With codes the scan has two passes and the same result: the first bounds every inner product by the 8-bit
     * codes, a quarter of the bytes; the second computes those exactly whose upper bound is not below the k-th best lower
     * bound. Codes pay with the Vector API only: without it the loop over bytes is slower than that over floats.
     */

    /** Fewer rows are compared exactly at once. */
    private static final int LEAST_CODED = 2_000;

    static final boolean CODES_PAY = DotKernels.BEST.getClass().getSimpleName().startsWith("Vector");

    private final float[] query; // (dimension)
    private final int k;
    private final boolean coded;
    private final float[] dots = new float[VectorRows.BLOCK];
    private final float[] bounds = new float[VectorRows.BLOCK];
    private final float[] scratch; // (BLOCK * dimension)

    VectorScan(float[] query, int k) {
        this(query, k, CODES_PAY);
    }

    /** @param coded whether to use codes where there are some */
    VectorScan(float[] query, int k, boolean coded) {
        this.query = query;
        this.k = k;
        this.coded = coded;
        this.scratch = new float[VectorRows.BLOCK * query.length];
    }

    /**
     * Offers each allowed row, or with codes at least the {@code k} best of them, with its exact inner product.
     *
     * @param allowed the rows in ascending order; null for all
     */
    void over(VectorRows rows, @Nullable VectorCodes codes, int @Nullable [] allowed, VectorGraph.RowSink to) {
        int count = allowed == null ? rows.rows() : allowed.length;
        if (coded && codes != null && count >= LEAST_CODED) {
            over(rows, codes.new Bound(query), allowed, to);
        } else if (allowed == null) {
            for (int first = 0; first < rows.rows(); first += VectorRows.BLOCK) {
                int part = Math.min(VectorRows.BLOCK, rows.rows() - first);
                rows.dots(query, first, part, dots, scratch);
                for (int i = 0; i < part; i++) {
                    to.row(first + i, dots[i]);
                }
            }
        } else {
            blocks(count, allowed, (block, size) -> exact(rows, block, size, to));
        }
    }

    private void exact(VectorRows rows, int[] block, int count, VectorGraph.RowSink to) {
        rows.gather(block, count, scratch);
        DotKernels.BEST.dots(query, scratch, 0, count, dots);
        for (int i = 0; i < count; i++) {
            to.row(block[i], dots[i]);
        }
    }

    private void over(VectorRows rows, VectorCodes.Bound bound, int @Nullable [] allowed, VectorGraph.RowSink to) {
        int all = allowed == null ? rows.rows() : allowed.length;
        float[] upper = new float[all]; // (allowed rows)
        int[] size = new int[1];
        TopHits lower = new TopHits(Math.min(k, all));
        blocks(all, allowed, (block, part) -> {
            bound.dots(block, part, dots, bounds);
            for (int i = 0; i < part; i++) {
                upper[size[0]++] = dots[i] + bounds[i];
                lower.offer(block[i], dots[i] - bounds[i]);
            }
        });
        float least = lower.worst();
        int[] block = new int[VectorRows.BLOCK];
        int count = 0;
        for (int i = 0; i < all; i++) {
            if (upper[i] >= least) {
                block[count++] = allowed == null ? i : allowed[i];
                if (count == block.length) {
                    exact(rows, block, count, to);
                    count = 0;
                }
            }
        }
        exact(rows, block, count, to);
    }

    /** Passes {@code all} rows, or those given, {@link VectorRows#BLOCK} at once. */
    private static void blocks(int all, int @Nullable [] rows, Block action) {
        int[] block = new int[VectorRows.BLOCK];
        for (int first = 0; first < all; first += block.length) {
            int count = Math.min(block.length, all - first);
            for (int i = 0; i < count; i++) {
                block[i] = rows == null ? first + i : rows[first + i];
            }
            action.rows(block, count);
        }
    }

    /** Takes rows. */
    @FunctionalInterface
    private interface Block {
        void rows(int[] block, int count);
    }
}
