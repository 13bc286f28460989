package dev.pollux.rag.knowledge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;

/**
 * A range of a file, mapped in chunks of whole rows, since a buffer is limited to 2^31 - 1 bytes. A mapping lives until it is
 * unreachable. <em>Thread-safe.</em>
 */
final class MappedChunks {

    /** Bytes in one chunk at most. */
    private static final int CHUNK = 1 << 30;

    private final int rowBytes;
    private final int rowsPerChunk;
    private final ByteBuffer[] chunks; // (chunks), little-endian
    private final FloatBuffer[] floats; // (chunks) the same bytes
    private final IntBuffer[] ints; // (chunks) the same bytes

    private MappedChunks(int rowBytes, int rowsPerChunk, ByteBuffer[] chunks) {
        this.rowBytes = rowBytes;
        this.rowsPerChunk = rowsPerChunk;
        this.chunks = chunks;
        this.floats = new FloatBuffer[chunks.length];
        this.ints = new IntBuffer[chunks.length];
        for (int i = 0; i < chunks.length; i++) {
            floats[i] = chunks[i].asFloatBuffer();
            ints[i] = chunks[i].asIntBuffer();
        }
    }

    /** Maps {@code rows} rows from an offset. The channel may be closed afterwards. */
    static MappedChunks map(FileChannel file, long from, int rows, int rowBytes) throws IOException {
        int rowsPerChunk = Math.max(1, CHUNK / rowBytes);
        ByteBuffer[] chunks = new ByteBuffer[(rows + rowsPerChunk - 1) / rowsPerChunk];
        for (int i = 0; i < chunks.length; i++) {
            long first = (long) i * rowsPerChunk;
            long length = Math.min(rowsPerChunk, rows - first) * rowBytes;
            chunks[i] = file.map(FileChannel.MapMode.READ_ONLY, from + first * rowBytes, length)
                    .order(ByteOrder.LITTLE_ENDIAN);
        }
        return new MappedChunks(rowBytes, rowsPerChunk, chunks);
    }

    /** The chunk that holds a row. */
    ByteBuffer chunk(int row) {
        return chunks[row / rowsPerChunk];
    }

    /** Copies the floats of rows of one chunk. */
    void floats(int row, int count, float[] into, int at) {
        int rowFloats = rowBytes / Float.BYTES;
        floats[row / rowsPerChunk].get(row % rowsPerChunk * rowFloats, into, at, count * rowFloats);
    }

    /** Copies the integers of a row. */
    void ints(int row, int[] into) {
        int rowInts = rowBytes / Integer.BYTES;
        ints[row / rowsPerChunk].get(row % rowsPerChunk * rowInts, into, 0, rowInts);
    }

    /** The byte at which a row begins in its chunk. */
    int offset(int row) {
        return row % rowsPerChunk * rowBytes;
    }

    /** How many rows from {@code row} on are in the same chunk, at most {@code most}. */
    int together(int row, int most) {
        return Math.min(most, rowsPerChunk - row % rowsPerChunk);
    }
}
