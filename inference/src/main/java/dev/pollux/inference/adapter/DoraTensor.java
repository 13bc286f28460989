package dev.pollux.inference.adapter;

import dev.pollux.tensor.DerivedTensor;
import dev.pollux.tensor.TensorSource;

/**
 * A matrix whose rows are scaled to given lengths: m·V / ‖V‖ by row (DoRA, Liu et al., arXiv 2402.09353), not yet loaded. PEFT
 * normalizes by output: a row of an (out, in) matrix, a column of an (in, out) matrix.
 *
 * @param exact V, the base with the product of the factors
 * @param magnitude m, (rows), or (columns) where {@code byColumn}
 */
record DoraTensor(TensorSource exact, TensorSource magnitude, boolean byColumn) implements DerivedTensor {

    private static final int WINDOW = 1 << 16;

    @Override
    public long storedBytes() {
        return exact.storedBytes() + magnitude.storedBytes();
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        ready().read(first, count, into, at);
    }

    @Override
    public TensorSource ready() {
        TensorSource loaded = exact.ready();
        int columns = Math.toIntExact(exact.shape().get(1));
        int length = Math.toIntExact(magnitude.elements());
        double[] squares = new double[length];
        float[] some = new float[(int) Math.min(WINDOW, exact.elements())];
        for (long first = 0; first < exact.elements(); first += some.length) {
            int count = (int) Math.min(some.length, exact.elements() - first);
            loaded.read(first, count, some, 0);
            for (int i = 0; i < count; i++) {
                long index = first + i;
                squares[(int) (byColumn ? index % columns : index / columns)] += (double) some[i] * some[i];
            }
        }
        float[] lengths = new float[length];
        magnitude.read(0, length, lengths, 0);
        double[] factors = new double[length];
        for (int i = 0; i < length; i++) {
            factors[i] = squares[i] == 0 ? 0 : lengths[i] / Math.sqrt(squares[i]);
        }
        return new Scaled(loaded, factors, columns, byColumn);
    }

    /** The matrix with its scale factors in memory. */
    private record Scaled(TensorSource exact, double[] factors, int columns, boolean byColumn)
            implements DerivedTensor {
        @Override
        public void read(long first, int count, float[] into, int at) {
            exact.read(first, count, into, at);
            for (int i = 0; i < count; i++) {
                long index = first + i;
                into[at + i] *= (float) factors[(int) (byColumn ? index % columns : index / columns)];
            }
        }
    }
}
