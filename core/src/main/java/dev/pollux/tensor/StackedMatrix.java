package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One or more stored matrices of equal width, stacked to (rows, columns) as in a packed projection. <em>Thread-safe</em>, as its
 * file is.
 *
 * @param tensors the file, open as long as this is used
 * @param names stored matrices, top first
 * @param rows elements of a column, those of all matrices
 * @param columns elements of a row
 */
public record StackedMatrix(TensorFile tensors, List<String> names, int rows, int columns) {

    /** Number of elements per read, small enough for a processor's cache. */
    private static final int SLICE = 1 << 17;

    public StackedMatrix {
        names = List.copyOf(names);
    }

    /**
     * The matrices {@code names} of {@code tensors}, which must all have {@code columns} columns.
     *
     * @throws MalformedFileException if one is absent or of another shape
     */
    public static StackedMatrix of(TensorFile tensors, List<String> names, int columns) {
        int rows = 0;
        for (String name : names) {
            if (!tensors.tensors().containsKey(name)) {
                throw new MalformedFileException("The checkpoint has no tensor " + name + "; it is incomplete");
            }
            TensorInfo info = tensors.info(name);
            if (info.shape().size() != 2 || info.dim(1) != columns) {
                throw new MalformedFileException(name + " must be [rows, " + columns + "] but is " + info.shape()
                        + "; the configuration and the weights do not match");
            }
            rows += info.dim(0);
        }
        return new StackedMatrix(tensors, names, rows, columns);
    }

    /**
     * This matrix.
     *
     * @throws MalformedFileException if it has another number of rows than {@code expected}
     */
    public StackedMatrix requireRows(int expected) {
        if (rows != expected) {
            throw new MalformedFileException(names + " must have " + expected + " rows but have " + rows
                    + "; the configuration and the weights do not match");
        }
        return this;
    }

    /** The number of rows of each part. */
    public List<Integer> rowsOfParts() {
        return names.stream().map(name -> tensors.info(name).dim(0)).toList();
    }

    /** The storage type of each part. */
    public List<DType> types() {
        List<DType> types = new ArrayList<>();
        names.forEach(name -> types.add(tensors.info(name).type()));
        return types;
    }

    /** Whether every part is stored in one of these types. */
    public boolean stored(DType... allowed) {
        return List.of(allowed).containsAll(types());
    }

    /** Receives rows; it is called by several threads at once. */
    @FunctionalInterface
    public interface Visitor<T> {
        void accept(int firstRow, T rows, DType type);
    }

    /** Visits the rows as floats, (some, columns) at a time, on several threads at once. */
    public void floats(Visitor<float[]> visitor) {
        slices().parallel()
                .forEach(slice -> visitor.accept(
                        slice.at,
                        tensors.floats(slice.name, (long) slice.first * columns, slice.count * columns),
                        tensors.info(slice.name).type()));
    }

    /**
     * Reads rows as floats on the calling thread.
     *
     * @param first index of the first row
     * @param into (count, columns)
     */
    public void rows(int first, int count, float[] into) {
        int step = Math.max(1, SLICE / columns);
        int top = 0;
        for (String name : names) {
            int rowsOfPart = tensors.info(name).dim(0);
            int from = Math.max(first, top);
            int to = Math.min(first + count, top + rowsOfPart);
            for (int row = from; row < to; row += step) {
                int some = Math.min(step, to - row);
                tensors.read(name, (long) (row - top) * columns, some * columns, into, (row - first) * columns);
            }
            top += rowsOfPart;
        }
    }

    /** The transposed matrix as floats: (columns, rows). */
    public float[] transposed() {
        float[] turned = new float[Math.multiplyExact(rows, columns)]; // (columns, rows)
        floats((first, values, type) -> {
            for (int r = 0; r < values.length / columns; r++) {
                for (int c = 0; c < columns; c++) {
                    turned[c * rows + first + r] = values[r * columns + c];
                }
            }
        });
        return turned;
    }

    /** Visits the rows as stored bytes, some at a time, on several threads at once. */
    public void bytes(Visitor<ByteBuffer> visitor) {
        slices().parallel().forEach(slice -> {
            DType type = tensors.info(slice.name).type();
            int rowBytes = columns / type.blockSize() * type.blockBytes();
            ByteBuffer rows = tensors.bytes(slice.name, (long) slice.first * rowBytes, slice.count * rowBytes);
            visitor.accept(slice.at, rows, type);
        });
    }

    /**
     * Some rows of a part.
     *
     * @param first index of the first row in the part
     * @param at index of the first row in the stacked matrix
     */
    private record Slice(String name, int first, int count, int at) {}

    private Stream<Slice> slices() {
        int step = Math.max(1, SLICE / columns);
        List<Slice> slices = new ArrayList<>();
        int at = 0;
        for (String name : names) {
            int rowsOfPart = tensors.info(name).dim(0);
            for (int first = 0; first < rowsOfPart; first += step) {
                int count = Math.min(step, rowsOfPart - first);
                slices.add(new Slice(name, first, count, at));
                at += count;
            }
        }
        return slices.stream();
    }
}
