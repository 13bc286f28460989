package dev.pollux.internal.math;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/*
 * Each method is the loop of ScalarKernels over whole vectors, and what is left over is ScalarKernels' own. Sums of products keep
 * its order: eight of them, in one vector or in two. No fused multiply-add: it would round otherwise. Vectors of a type have
 * one width only: with a second one about, C2 of Java 17 no longer knows which it has, and makes objects of them.
 */
/** {@link Kernels} with the Vector API, which the JVM must be started with: {@code --add-modules jdk.incubator.vector}. */
final class VectorKernels implements Kernels {

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    private static final int WIDTH = FLOATS.length();
    private static final FloatVector ZERO = FloatVector.zero(FLOATS);
    private static final FloatVector ONE = FloatVector.broadcast(FLOATS, 1);
    private static final FloatVector MINUS_ONE = FloatVector.broadcast(FLOATS, -1);

    private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
    private static final boolean EIGHT_DOUBLES = DOUBLES.length() == 8;

    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
    /** Processors multiply 64-bit lanes from 512 bits on. */
    private static final boolean LONG_PRODUCTS = LONGS.length() >= 8;

    private static final LongVector STEPS = LongVector.zero(LONGS).addIndex(1).mul(CounterRandom.GAMMA);

    private final ScalarKernels rest = ScalarKernels.INSTANCE;

    /**
     * Vectors of this machine.
     *
     * @throws UnsupportedOperationException if they have not 256 or 512 bits
     */
    VectorKernels() {
        if (FLOATS.vectorBitSize() != 256 && FLOATS.vectorBitSize() != 512) {
            throw new UnsupportedOperationException("vectors have " + FLOATS.vectorBitSize() + " bits");
        }
    }

    @Override
    public void decode(short[] from, int count, float[] into, int at) {
        int j = 0;
        for (; j <= count - WIDTH; j += WIDTH) {
            ShortVector halves = ShortVector.fromArray(SHORTS, from, j);
            IntVector bits = (IntVector) halves.convertShape(VectorOperators.S2I, INTS, 0);
            floats(bits.lanewise(VectorOperators.LSHL, 16)).intoArray(into, at + j);
        }
        for (; j < count; j++) {
            into[at + j] = Float.intBitsToFloat(from[j] << 16);
        }
    }

    @Override
    public void encode(float[] values, int at, int count, short[] into) {
        int j = 0;
        for (; j <= count - WIDTH; j += WIDTH) {
            IntVector bits = bits(at(values, at + j));
            IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
            IntVector rounded = bits.add(upper.and(1)).add(0x7fff).lanewise(VectorOperators.LSHR, 16);
            VectorMask<Integer> nan = bits.and(0x7fffffff).compare(VectorOperators.GT, 0x7f800000);
            ShortVector halves =
                    (ShortVector) rounded.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, SHORTS, 0);
            halves.intoArray(into, j);
        }
        for (; j < count; j++) {
            into[j] = Float16.toBfloat16(values[at + j]);
        }
    }

    @Override
    public void scale(float[] x, float c, float[] into, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            at(x, j).mul(c).intoArray(into, j);
        }
        rest.scale(x, c, into, j, to);
    }

    @Override
    public void add(float[] x, float c, float[] into, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            at(into, j).add(at(x, j).mul(c)).intoArray(into, j);
        }
        rest.add(x, c, into, j, to);
    }

    @Override
    public void addTo(float[] x, float c, float[] d, float[] into, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            at(x, j).add(at(d, j).mul(c)).intoArray(into, j);
        }
        rest.addTo(x, c, d, into, j, to);
    }

    @Override
    public void subtract(float[] a, float[] b, float[] into, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            at(a, j).sub(at(b, j)).intoArray(into, j);
        }
        rest.subtract(a, b, into, j, to);
    }

    @Override
    public double dot(float[] a, float[] b, int from, int to) {
        DoubleVector sums = DoubleVector.zero(DOUBLES);
        DoubleVector others = DoubleVector.zero(DOUBLES);
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector x = at(a, j);
            FloatVector y = at(b, j);
            sums = sums.add(half(x, 0).mul(half(y, 0)));
            if (EIGHT_DOUBLES) {
                sums = sums.add(half(x, 1).mul(half(y, 1)));
            } else {
                others = others.add(half(x, 1).mul(half(y, 1)));
            }
        }
        double[] eight = eight(sums, others);
        for (; j <= to - 8; j += 8) {
            for (int k = 0; k < 8; k++) {
                eight[k] += (double) a[j + k] * b[j + k];
            }
        }
        return sum(eight) + rest.dot(a, b, j, to);
    }

    @Override
    public double magnitude(float[] x, int from, int to) {
        DoubleVector sums = DoubleVector.zero(DOUBLES);
        DoubleVector others = DoubleVector.zero(DOUBLES);
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector y = at(x, j).abs();
            sums = sums.add(half(y, 0));
            if (EIGHT_DOUBLES) {
                sums = sums.add(half(y, 1));
            } else {
                others = others.add(half(y, 1));
            }
        }
        double[] eight = eight(sums, others);
        for (; j <= to - 8; j += 8) {
            for (int k = 0; k < 8; k++) {
                eight[k] += Math.abs(x[j + k]);
            }
        }
        return sum(eight) + rest.magnitude(x, j, to);
    }

    private static DoubleVector half(FloatVector x, int part) {
        return (DoubleVector) x.convertShape(VectorOperators.F2D, DOUBLES, part);
    }

    /** Eight sums that lie in one vector or in two. */
    private static double[] eight(DoubleVector sums, DoubleVector others) {
        double[] eight = new double[8];
        sums.intoArray(eight, 0);
        if (!EIGHT_DOUBLES) {
            others.intoArray(eight, 4);
        }
        return eight;
    }

    private static double sum(double[] s) {
        return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
    }

    @Override
    public int equal(float[] x, float value, float[] some, int from, int to) {
        int equal = 0;
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            equal += at(x, j).abs().compare(VectorOperators.EQ, value).trueCount();
        }
        return equal + rest.equal(x, value, some, j, to);
    }

    @Override
    public long find(float[] x, int least, int width, int[] found, int from, int to) {
        int n = 0;
        int below = 0;
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            IntVector above = bits(at(x, j)).and(0x7fffffff).sub(least);
            VectorMask<Integer> less = above.compare(VectorOperators.LT, 0);
            below += less.trueCount();
            VectorMask<Integer> within =
                    above.compare(VectorOperators.LT, width).andNot(less);
            if (within.anyTrue()) {
                n = take(x, least, width, found, n, j, j + WIDTH);
            }
        }
        n = take(x, least, width, found, n, j, to);
        for (; j < to; j++) {
            below += (Float.floatToRawIntBits(x[j]) & 0x7fffffff) - least >>> 31;
        }
        return (long) below << 32 | n;
    }

    private static int take(float[] x, int least, int width, int[] found, int n, int from, int to) {
        for (int j = from; j < to; j++) {
            int above = (Float.floatToRawIntBits(x[j]) & 0x7fffffff) - least;
            if (Integer.compareUnsigned(above, width) < 0) {
                found[n++] = above;
            }
        }
        return n;
    }

    @Override
    public int nonZero(float[] x, int from, int to) {
        int nonZero = 0;
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            nonZero += at(x, j).compare(VectorOperators.NE, 0f).trueCount();
        }
        return nonZero + rest.nonZero(x, j, to);
    }

    @Override
    public void prune(float[] x, float limit, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector values = at(x, j);
            values.mul(ZERO.blend(ONE, values.abs().compare(VectorOperators.GT, limit)))
                    .intoArray(x, j);
        }
        rest.prune(x, limit, j, to);
    }

    @Override
    public void prune(float[] x, Draw draw, long[] some, int from, int to) {
        long key = draw.key();
        long first = draw.first();
        long limit = draw.limit();
        int j = from;
        for (; LONG_PRODUCTS && j <= to - LONGS.length(); j += LONGS.length()) {
            LongVector z = STEPS.add(key + (first + j) * CounterRandom.GAMMA);
            z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 30))
                    .mul(CounterRandom.MIX1);
            z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 27))
                    .mul(CounterRandom.MIX2);
            z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 31));
            z.lanewise(VectorOperators.LSHR, 11).sub(limit).intoArray(some, j);
        }
        for (int i = from; i < j; i++) {
            x[i] = Float.intBitsToFloat(Float.floatToRawIntBits(x[i]) & (int) (some[i] >> 63));
        }
        rest.prune(x, draw, some, j, to);
    }

    @Override
    public void vote(float[] x, float c, float[] sum, float[] size, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector d = at(x, j).mul(c);
            at(sum, j).add(d).intoArray(sum, j);
            at(size, j).add(d.abs()).intoArray(size, j);
        }
        rest.vote(x, c, sum, size, j, to);
    }

    @Override
    public void vote(float[] x, float c, float w, SignVotes votes, int from, int to) {
        float[] sum = votes.sum();
        float[] size = votes.size();
        float[] weightSum = votes.weightSum();
        float[] weightSize = votes.weightSize();
        FloatVector plus = FloatVector.broadcast(FLOATS, w);
        FloatVector minus = FloatVector.broadcast(FLOATS, -w);
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector d = at(x, j).mul(c);
            at(sum, j).add(d).intoArray(sum, j);
            at(size, j).add(d.abs()).intoArray(size, j);
            VectorMask<Float> positive = d.compare(VectorOperators.GT, 0f);
            VectorMask<Float> negative = d.compare(VectorOperators.LT, 0f);
            FloatVector some = ZERO.blend(plus, positive);
            at(weightSum, j).add(some.blend(minus, negative)).intoArray(weightSum, j);
            at(weightSize, j).add(some.blend(plus, negative)).intoArray(weightSize, j);
        }
        rest.vote(x, c, w, votes, j, to);
    }

    @Override
    public void elect(float[] sum, float[] size, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector all = at(sum, j);
            FloatVector majority = MINUS_ONE.blend(ONE, all.compare(VectorOperators.GE, 0f));
            all.add(majority.mul(at(size, j))).mul(0.5f).intoArray(sum, j);
        }
        rest.elect(sum, size, j, to);
    }

    @Override
    public void electMean(SignVotes votes, int from, int to) {
        float[] sum = votes.sum();
        float[] size = votes.size();
        float[] weightSum = votes.weightSum();
        float[] weightSize = votes.weightSize();
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            FloatVector all = at(sum, j);
            FloatVector majority = MINUS_ONE.blend(ONE, all.compare(VectorOperators.GE, 0f));
            FloatVector share =
                    at(weightSize, j).add(majority.mul(at(weightSum, j))).mul(0.5f);
            FloatVector divisor = share.blend(1f, share.compare(VectorOperators.EQ, 0f));
            all.add(majority.mul(at(size, j))).mul(0.5f).div(divisor).intoArray(sum, j);
        }
        rest.electMean(votes, j, to);
    }

    @Override
    public void conflicts(float[] weightSum, float[] weightSize, float[] conflicts, int from, int to) {
        int j = from;
        for (; j <= to - WIDTH; j += WIDTH) {
            VectorMask<Float> both = at(weightSize, j)
                    .compare(VectorOperators.GT, at(weightSum, j).abs());
            at(conflicts, j).add(ZERO.blend(ONE, both)).intoArray(conflicts, j);
        }
        rest.conflicts(weightSum, weightSize, conflicts, j, to);
    }

    /** {@code reinterpretAsInts}, but C2 knows how wide the result is even where vectors of other widths are about. */
    private static IntVector bits(FloatVector x) {
        return (IntVector) x.convertShape(VectorOperators.REINTERPRET_F2I, INTS, 0);
    }

    private static FloatVector floats(IntVector bits) {
        return (FloatVector) bits.convertShape(VectorOperators.REINTERPRET_I2F, FLOATS, 0);
    }

    private static FloatVector at(float[] x, int j) {
        return FloatVector.fromArray(FLOATS, x, j);
    }
}
