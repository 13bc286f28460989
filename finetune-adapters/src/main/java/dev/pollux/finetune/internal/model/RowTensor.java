package dev.pollux.finetune.internal.model;

import dev.pollux.tensor.TensorSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A matrix whose rows are rows of other matrices, means of such rows, or zeros. Unassigned rows are the mean of all assigned
 * rows.
 *
 * @param padding the mean of all given rows, (columns); calculated by {@link #ready}
 */
public record RowTensor(List<TensorSource> sources, Rows rows, int columns, String label, float @Nullable [] padding)
        implements TensorSource {

    public RowTensor(List<TensorSource> sources, Rows rows, int columns, String label) {
        this(sources, rows, columns, label, null);
    }

    /** The source of each row. */
    public static final class Rows {
        private static final int PADDING = -1;
        private static final int ZERO = -2;
        private static final int MEAN = -3;

        private final int[] source;
        private final int[] row;
        private final Map<Integer, int[][]> means = new HashMap<>();

        public Rows(int count) {
            source = new int[count];
            row = new int[count];
            Arrays.fill(source, PADDING);
        }

        public void take(int index, int from, int fromRow) {
            source[index] = from;
            row[index] = fromRow;
        }

        public void zero(int index) {
            source[index] = ZERO;
        }

        public void mean(int index, int[] from, int[] fromRows) {
            source[index] = MEAN;
            means.put(index, new int[][] {from, fromRows});
        }
    }

    @Override
    public List<Long> shape() {
        return List.of((long) rows.source.length, (long) columns);
    }

    @Override
    public long storedBytes() {
        return sources.stream().mapToLong(TensorSource::storedBytes).max().orElse(0);
    }

    @Override
    public TensorSource ready() {
        List<TensorSource> loaded = sources.stream().map(TensorSource::ready).toList();
        boolean padded = Arrays.stream(rows.source).anyMatch(source -> source == Rows.PADDING);
        RowTensor unpadded = new RowTensor(loaded, rows, columns, label, new float[columns]);
        return padded ? new RowTensor(loaded, rows, columns, label, unpadded.meanOfRows()) : unpadded;
    }

    private float[] meanOfRows() {
        double[] sum = new double[columns];
        float[] row = new float[columns];
        int count = 0;
        for (int i = 0; i < rows.source.length; i++) {
            if (rows.source[i] != Rows.PADDING) {
                row(i, row);
                for (int j = 0; j < columns; j++) {
                    sum[j] += row[j];
                }
                count++;
            }
        }
        float[] mean = new float[columns];
        for (int j = 0; j < columns; j++) {
            mean[j] = (float) (sum[j] / Math.max(count, 1));
        }
        return mean;
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        if (padding == null) {
            ready().read(first, count, into, at);
            return;
        }
        float[] row = new float[columns];
        for (int done = 0; done < count; ) {
            int index = (int) ((first + done) / columns);
            int column = (int) ((first + done) % columns);
            int some = Math.min(columns - column, count - done);
            row(index, row);
            System.arraycopy(row, column, into, at + done, some);
            done += some;
        }
    }

    private void row(int index, float[] into) {
        int source = rows.source[index];
        if (source >= 0) {
            sources.get(source).read((long) rows.row[index] * columns, columns, into, 0);
        } else if (source == Rows.ZERO) {
            Arrays.fill(into, 0, columns, 0);
        } else if (source == Rows.PADDING) {
            System.arraycopy(Objects.requireNonNull(padding), 0, into, 0, columns);
        } else {
            mean(Objects.requireNonNull(rows.means.get(index)), into);
        }
    }

    private void mean(int[][] of, float[] into) {
        double[] sum = new double[columns];
        for (int k = 0; k < of[0].length; k++) {
            sources.get(of[0][k]).read((long) of[1][k] * columns, columns, into, 0);
            for (int j = 0; j < columns; j++) {
                sum[j] += into[j];
            }
        }
        for (int j = 0; j < columns; j++) {
            into[j] = (float) (sum[j] / of[0].length);
        }
    }
}
