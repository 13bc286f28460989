package dev.pollux.internal.math;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/*
 * Sixteen lanes are one vector of 512 bits or two of 256. Four rows at a time share the load of the query and keep four sums that
 * do not wait for each other. Products of bytes are made in 16 bits: 127 * 127, and the sum of two of them, fit. As in VectorKernels,
 * vectors of a type have one width only.
 */
/** {@link DotKernels} with the Vector API. */
final class VectorDotKernels implements DotKernels {

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 4));
    private static final int WIDTH = FLOATS.length();
    private static final boolean ONE = WIDTH == LANES;

    /**
     * Vectors of this machine.
     *
     * @throws UnsupportedOperationException if they have not 256 or 512 bits
     */
    VectorDotKernels() {
        if (FLOATS.vectorBitSize() != 256 && FLOATS.vectorBitSize() != 512) {
            throw new UnsupportedOperationException("vectors have " + FLOATS.vectorBitSize() + " bits");
        }
    }

    @Override
    public void dots(float[] query, float[] rows, int at, int count, float[] into) {
        int n = query.length;
        int blocks = n & -LANES;
        float[] sums = new float[4 * LANES]; // (rows, lanes)
        int row = 0;
        for (; row <= count - 4; row += 4) {
            int offset = at + row * n;
            if (ONE) {
                four(query, rows, offset, blocks, sums);
            } else {
                for (int r = 0; r < 4; r++) {
                    halves(query, rows, offset + r * n, blocks, sums, r * LANES);
                }
            }
            for (int r = 0; r < 4; r++) {
                into[row + r] = finished(query, rows, offset + r * n, blocks, DotKernels.sum(sums, r * LANES));
            }
        }
        for (; row < count; row++) {
            int offset = at + row * n;
            if (ONE) {
                one(query, rows, offset, blocks, sums);
            } else {
                halves(query, rows, offset, blocks, sums, 0);
            }
            into[row] = finished(query, rows, offset, blocks, DotKernels.sum(sums, 0));
        }
    }

    private static float finished(float[] query, float[] rows, int offset, int blocks, float lanes) {
        float sum = lanes;
        for (int i = blocks; i < query.length; i++) {
            sum += query[i] * rows[offset + i];
        }
        return sum;
    }

    private static void four(float[] query, float[] rows, int offset, int blocks, float[] sums) {
        int n = query.length;
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = FloatVector.zero(FLOATS);
        FloatVector s2 = FloatVector.zero(FLOATS);
        FloatVector s3 = FloatVector.zero(FLOATS);
        for (int i = 0, j = offset; i < blocks; i += WIDTH, j += WIDTH) {
            FloatVector q = FloatVector.fromArray(FLOATS, query, i);
            s0 = s0.add(q.mul(FloatVector.fromArray(FLOATS, rows, j)));
            s1 = s1.add(q.mul(FloatVector.fromArray(FLOATS, rows, j + n)));
            s2 = s2.add(q.mul(FloatVector.fromArray(FLOATS, rows, j + 2 * n)));
            s3 = s3.add(q.mul(FloatVector.fromArray(FLOATS, rows, j + 3 * n)));
        }
        s0.intoArray(sums, 0);
        s1.intoArray(sums, LANES);
        s2.intoArray(sums, 2 * LANES);
        s3.intoArray(sums, 3 * LANES);
    }

    private static void one(float[] query, float[] rows, int offset, int blocks, float[] sums) {
        FloatVector s = FloatVector.zero(FLOATS);
        for (int i = 0, j = offset; i < blocks; i += WIDTH, j += WIDTH) {
            s = s.add(FloatVector.fromArray(FLOATS, query, i).mul(FloatVector.fromArray(FLOATS, rows, j)));
        }
        s.intoArray(sums, 0);
    }

    private static void halves(float[] query, float[] rows, int offset, int blocks, float[] sums, int to) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = FloatVector.zero(FLOATS);
        for (int i = 0, j = offset; i < blocks; i += LANES, j += LANES) {
            low = low.add(FloatVector.fromArray(FLOATS, query, i).mul(FloatVector.fromArray(FLOATS, rows, j)));
            high = high.add(FloatVector.fromArray(FLOATS, query, i + WIDTH)
                    .mul(FloatVector.fromArray(FLOATS, rows, j + WIDTH)));
        }
        low.intoArray(sums, to);
        high.intoArray(sums, to + WIDTH);
    }

    @Override
    public void dots(short[] query, byte[] rows, int at, int count, int[] into) {
        int n = query.length;
        int blocks = n - n % (2 * WIDTH);
        for (int row = 0; row < count; row++) {
            int offset = at + row * n;
            IntVector sums = IntVector.zero(INTS);
            for (int i = 0, j = offset; i < blocks; i += 2 * WIDTH, j += 2 * WIDTH) {
                ShortVector products = product(query, i, rows, j).add(product(query, i + WIDTH, rows, j + WIDTH));
                sums = sums.add((IntVector) products.convertShape(VectorOperators.S2I, INTS, 0));
            }
            int sum = sums.reduceLanes(VectorOperators.ADD);
            for (int i = blocks; i < n; i++) {
                sum += query[i] * rows[offset + i];
            }
            into[row] = sum;
        }
    }

    private static ShortVector product(short[] query, int i, byte[] rows, int j) {
        ByteVector bytes = ByteVector.fromArray(BYTES, rows, j);
        return ShortVector.fromArray(SHORTS, query, i)
                .mul((ShortVector) bytes.convertShape(VectorOperators.B2S, SHORTS, 0));
    }
}
