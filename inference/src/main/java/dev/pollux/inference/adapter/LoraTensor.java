package dev.pollux.inference.adapter;

import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A matrix with a LoRA adapter, not yet loaded; see {@link AdaptedTensor}.
 *
 * @param a (rank, in)
 * @param b (out, rank)
 * @param transposed whether the matrix is stored as (in, out)
 */
record LoraTensor(TensorSource matrix, TensorSource a, TensorSource b, boolean transposed, double scale, String label)
        implements TensorSource {

    @Override
    public List<Long> shape() {
        return matrix.shape();
    }

    @Override
    public long storedBytes() {
        return matrix.storedBytes() + a.storedBytes() + b.storedBytes();
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        ready().read(first, count, into, at);
    }

    @Override
    public TensorSource ready() {
        int rank = a.shape().get(0).intValue();
        float[] down = all(a);
        float[] up = all(b);
        float[] left = transposed ? transposed(down, rank) : up;
        float[] right = transposed ? transposed(up, up.length / rank) : down;
        return new AdaptedTensor(matrix.ready(), left, right, rank, scale, label);
    }

    private static float[] all(TensorSource source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        source.read(0, values.length, values, 0);
        return values;
    }

    /** A (rows, columns) matrix as (columns, rows). */
    private static float[] transposed(float[] matrix, int rows) {
        int columns = matrix.length / rows;
        float[] result = new float[matrix.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                result[j * rows + i] = matrix[i * columns + j];
            }
        }
        return result;
    }
}
