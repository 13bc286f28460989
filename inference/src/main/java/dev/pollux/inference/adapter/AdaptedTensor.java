package dev.pollux.inference.adapter;

import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A matrix with a LoRA adapter: W + scale·L·R (arXiv 2106.09685), calculated on reading.
 *
 * @param left (rows, rank)
 * @param right (rank, columns)
 */
record AdaptedTensor(TensorSource matrix, float[] left, float[] right, int rank, double scale, String label)
        implements TensorSource {

    @Override
    public List<Long> shape() {
        return matrix.shape();
    }

    @Override
    public long storedBytes() {
        return matrix.storedBytes() + 4L * (left.length + right.length);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        matrix.read(first, count, into, at);
        int columns = right.length / rank;
        double[] row = new double[columns];
        for (int done = 0; done < count; ) {
            int index = (int) ((first + done) / columns);
            int column = (int) ((first + done) % columns);
            int some = Math.min(columns - column, count - done);
            java.util.Arrays.fill(row, 0);
            for (int k = 0; k < rank; k++) {
                double factor = scale * left[index * rank + k];
                for (int j = column; j < column + some; j++) {
                    row[j] += factor * right[k * columns + j];
                }
            }
            for (int j = 0; j < some; j++) {
                into[at + done + j] = (float) (into[at + done + j] + row[column + j]);
            }
            done += some;
        }
    }
}
