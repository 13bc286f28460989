package dev.pollux.rag.knowledge;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Rows of floats in a few long arrays. One thread adds rows; afterwards the rows are only read. */
final class Vectors {

    /** Floats in one array: 1 GiB, well under the longest array. */
    private static final int CHUNK_FLOATS = 1 << 28;

    private final int dimension;
    private final int rowsPerChunk;
    private final float[][] chunks; // (chunks)(rows * dimension)

    Vectors(int rows, int dimension) {
        this(rows, dimension, CHUNK_FLOATS);
    }

    Vectors(int rows, int dimension, int chunkFloats) {
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

    void set(int row, ByteBuffer littleEndian) {
        FloatBuffer floats = littleEndian.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        floats.get(chunks[row / rowsPerChunk], row % rowsPerChunk * dimension, dimension);
    }

    float[] get(int row) {
        int offset = row % rowsPerChunk * dimension;
        return Arrays.copyOfRange(chunks[row / rowsPerChunk], offset, offset + dimension); // (dimension)
    }

    /** The inner product of {@code query} and a row, accumulated in float. */
    float dot(float[] query, int row) { // query: (dimension)
        return dot(query, chunks[row / rowsPerChunk], row % rowsPerChunk * dimension);
    }

    // Eight sums that do not wait for each other keep the multipliers busy; Java adds floats strictly in order, so that
    // a single sum would be bound by the latency of one addition.
    private static float dot(float[] a, float[] b, int offset) { // a: (n), b: (rows * n)
        int n = a.length;
        int blocks = n & ~7;
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        float s4 = 0;
        float s5 = 0;
        float s6 = 0;
        float s7 = 0;
        for (int i = 0, j = offset; i < blocks; i += 8, j += 8) {
            s0 += a[i] * b[j];
            s1 += a[i + 1] * b[j + 1];
            s2 += a[i + 2] * b[j + 2];
            s3 += a[i + 3] * b[j + 3];
            s4 += a[i + 4] * b[j + 4];
            s5 += a[i + 5] * b[j + 5];
            s6 += a[i + 6] * b[j + 6];
            s7 += a[i + 7] * b[j + 7];
        }
        float sum = s0 + s1 + (s2 + s3) + (s4 + s5 + (s6 + s7));
        for (int i = blocks; i < n; i++) {
            sum += a[i] * b[offset + i];
        }
        return sum;
    }
}
