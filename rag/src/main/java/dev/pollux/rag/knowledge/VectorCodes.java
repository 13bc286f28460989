package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;

/** The 8-bit codes of the rows of a {@link VectorFile}, which bound inner products. <em>Immutable, thread-safe.</em> */
final class VectorCodes {

    private final int rows;
    private final int dimension;
    private final MappedChunks heads;
    private final MappedChunks codes;

    VectorCodes(int rows, int dimension, MappedChunks heads, MappedChunks codes) {
        this.rows = rows;
        this.dimension = dimension;
        this.heads = heads;
        this.codes = codes;
    }

    int rows() {
        return rows;
    }

    /**
     * A query in 8 bits, with the scratch of one scan. <em>Confined to one thread.</em>
     *
     * <p>With q = q' + e and r = r' + f, where q' and r' are the codes' values:
     *
     * <pre>{@code |q·r − q'·r'| = |e·r + q'·f| ≤ |e|·|r| + |q'|·|f|}</pre>
     *
     * <p>A small share of |q|·|r| is added for the rounding of sums in floats.
     */
    final class Bound {

        /** Relative error of an inner product in floats: far above n · 2^-24 of the sums used. */
        private static final float ROUNDING = 1e-4f;

        private final short[] query = new short[dimension];
        private final float scale;
        private final float error;
        private final float norm;
        private final byte[] scratch = new byte[VectorRows.BLOCK * dimension];
        private final int[] products = new int[VectorRows.BLOCK];

        Bound(float[] exact) { // (dimension)
            VectorCode code = VectorCode.of(exact);
            for (int i = 0; i < query.length; i++) {
                query[i] = code.bytes()[i];
            }
            scale = code.scale();
            error = code.error();
            norm = code.norm();
        }

        /**
         * Approximate inner products with rows and the bounds of their errors.
         *
         * @param block rows in ascending order
         * @param count at most {@link VectorRows#BLOCK}
         */
        void dots(int[] block, int count, float[] into, float[] bounds) { // into, bounds: (≥ count)
            multiply(block, count);
            for (int i = 0; i < count; i++) {
                var head = heads.chunk(block[i]);
                int at = heads.offset(block[i]);
                float length = head.getFloat(at + 2 * Float.BYTES);
                into[i] = scale * head.getFloat(at) * products[i];
                bounds[i] =
                        error * length + (norm + error) * head.getFloat(at + Float.BYTES) + ROUNDING * norm * length;
            }
        }

        /** Approximate inner products with rows in any order. */
        void dots(int[] block, int count, float[] into) { // into: (≥ count)
            multiply(block, count);
            for (int i = 0; i < count; i++) {
                into[i] = scale * heads.chunk(block[i]).getFloat(heads.offset(block[i])) * products[i];
            }
        }

        private void multiply(int[] block, int count) {
            int done = 0;
            while (done < count) { // runs of consecutive rows at once
                int row = block[done];
                int part = 1;
                while (done + part < count && block[done + part] == row + part) {
                    part++;
                }
                part = codes.together(row, part);
                codes.chunk(row).get(codes.offset(row), scratch, done * dimension, part * dimension);
                done += part;
            }
            DotKernels.BEST.dots(query, scratch, 0, count, products);
        }
    }
}
