package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * One or more stored matrices of equal width, stacked: (rows, columns), as a packed projection multiplies with.
 *
 * @param names stored matrices, top first
 */
record Matrix(TensorFile tensors, List<String> names, int rows, int columns) {

    static Matrix of(TensorFile tensors, List<String> names, int columns) {
        int rows = 0;
        for (String name : names) {
            if (!tensors.tensors().containsKey(name)) {
                throw new MalformedFileException("The checkpoint has no tensor " + name + "; it is incomplete");
            }
            TensorInfo info = tensors.info(name);
            if (info.shape().size() != 2 || info.dim(1) != columns) {
                throw new MalformedFileException(name + " must be [rows, " + columns + "] but is " + info.shape()
                        + "; the configuration and the weights do not fit together");
            }
            rows += info.dim(0);
        }
        return new Matrix(tensors, names, rows, columns);
    }

    Matrix requireRows(int expected) {
        if (rows != expected) {
            throw new MalformedFileException(names + " must have " + expected + " rows but have " + rows
                    + "; the configuration and the weights do not fit together");
        }
        return this;
    }

    /** The rows of each part. */
    List<Integer> rowsOfParts() {
        return names.stream().map(name -> tensors.info(name).dim(0)).toList();
    }

    /** The types it is stored in, one a part. */
    List<DType> types() {
        List<DType> types = new ArrayList<>();
        names.forEach(name -> types.add(tensors.info(name).type()));
        return types;
    }

    boolean stored(DType... allowed) {
        return List.of(allowed).containsAll(types());
    }

    @FunctionalInterface
    interface Visitor<T> {
        void accept(int firstRow, T rows, DType type);
    }

    /** Visits the rows as floats, (some, columns) at a time. */
    void floats(Visitor<float[]> visitor) {
        slices((name, first, count, at) -> visitor.accept(
                at,
                tensors.floats(name, (long) first * columns, count * columns),
                tensors.info(name).type()));
    }

    /** Visits the rows as stored bytes, some at a time. */
    void bytes(Visitor<ByteBuffer> visitor) {
        slices((name, first, count, at) -> {
            DType type = tensors.info(name).type();
            int rowBytes = columns / type.blockSize() * type.blockBytes();
            visitor.accept(at, tensors.bytes(name, (long) first * rowBytes, count * rowBytes), type);
        });
    }

    @FunctionalInterface
    private interface Slice {
        void accept(String name, int first, int count, int at);
    }

    private void slices(Slice slice) {
        int step = Math.max(1, (4 << 20) / columns);
        int at = 0;
        for (String name : names) {
            int rowsOfPart = tensors.info(name).dim(0);
            for (int first = 0; first < rowsOfPart; first += step) {
                int count = Math.min(step, rowsOfPart - first);
                slice.accept(name, first, count, at);
                at += count;
            }
        }
    }
}
