package dev.pollux.rag.knowledge;

import dev.pollux.internal.math.DotKernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Rows of floats in a few long arrays. One thread adds rows; afterwards the rows are only read. */
final class Vectors implements VectorRows {

    /** Floats in one array: 1 GiB, well under the longest array. */
    private static final int CHUNK_FLOATS = 1 << 28;

    private final int rows;
    private final int dimension;
    private final int rowsPerChunk;
    private final float[][] chunks; // (chunks)(rows * dimension)

    Vectors(int rows, int dimension) {
        this(rows, dimension, CHUNK_FLOATS);
    }

    Vectors(int rows, int dimension, int chunkFloats) {
        this.rows = rows;
        this.dimension = dimension;
        this.rowsPerChunk = Math.max(1, chunkFloats / dimension);
        this.chunks = new float[(rows + rowsPerChunk - 1) / rowsPerChunk][];
        for (int i = 0; i < chunks.length; i++) {
            chunks[i] = new float[Math.min(rowsPerChunk, rows - i * rowsPerChunk) * dimension];
        }
    }

    /** The stored bytes of a row. */
    static byte[] bytes(float[] row) { // (dimension)
        ByteBuffer buffer = ByteBuffer.allocate(row.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(row);
        return buffer.array();
    }

    void set(int row, float[] vector) { // (dimension)
        System.arraycopy(vector, 0, chunks[row / rowsPerChunk], row % rowsPerChunk * dimension, dimension);
    }

    /** A copy of rows. */
    static Vectors of(VectorRows rows) {
        Vectors copy = new Vectors(rows.rows(), rows.dimension());
        for (int row = 0; row < rows.rows(); row++) {
            copy.set(row, rows.get(row));
        }
        return copy;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int dimension() {
        return dimension;
    }

    @Override
    public void copy(int first, int count, float[] into) {
        for (int row = 0; row < count; row++) {
            float[] chunk = chunks[(first + row) / rowsPerChunk];
            System.arraycopy(chunk, (first + row) % rowsPerChunk * dimension, into, row * dimension, dimension);
        }
    }

    @Override
    public void dots(float[] query, int first, int count, float[] into, float[] scratch) {
        if (first % rowsPerChunk + count <= rowsPerChunk) { // without a copy
            DotKernels.BEST.dots(query, chunks[first / rowsPerChunk], first % rowsPerChunk * dimension, count, into);
        } else {
            VectorRows.super.dots(query, first, count, into, scratch);
        }
    }
}
