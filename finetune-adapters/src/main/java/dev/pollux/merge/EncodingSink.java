package dev.pollux.merge;

import dev.pollux.StorageException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.Float16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** Rounds elements to the type of a file and writes them from an offset on. */
final class EncodingSink implements TensorSink {

    private static final int STEP = 1 << 15;

    private final DType type;
    private final FileChannel channel;
    private final AtomicLong written;
    private final ByteBuffer bytes;
    private final short[] halves = new short[STEP];
    private final Map<String, String> facts = new TreeMap<>();
    private long offset;

    /**
     * @param written counts the bytes that all sinks write
     * @param bytes to write from, little-endian; at least 4·2<sup>15</sup>
     */
    EncodingSink(DType type, FileChannel channel, long offset, AtomicLong written, ByteBuffer bytes) {
        this.type = type;
        this.channel = channel;
        this.offset = offset;
        this.written = written;
        this.bytes = bytes;
    }

    static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(4 * STEP).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void put(float[] values, int count) {
        for (int at = 0; at < count; at += STEP) {
            int some = Math.min(STEP, count - at);
            bytes.clear();
            encode(values, at, some);
            bytes.limit(some * type.blockBytes());
            write();
        }
    }

    @Override
    public boolean isNarrow() {
        return type != DType.F32;
    }

    private void encode(float[] values, int at, int count) {
        if (type == DType.F32) {
            bytes.asFloatBuffer().put(values, at, count);
            return;
        }
        if (type == DType.BF16) {
            toBrain(values, at, count, halves);
        } else if (type == DType.F16) {
            for (int i = 0; i < count; i++) {
                halves[i] = Float16.fromFloat(values[at + i]);
            }
        } else {
            throw new IllegalArgumentException("type must be F32, F16 or BF16 but was " + type);
        }
        bytes.asShortBuffer().put(halves, 0, count);
    }

    /** NaNs are rare, so they are only looked for here, and rounded when there is one. */
    static void toBrain(float[] values, int at, int count, short[] into) {
        int nan = 0;
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(values[at + i]);
            into[i] = (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
            nan |= 0x7f800000 - (bits & 0x7fffffff);
        }
        if (nan < 0) {
            for (int i = 0; i < count; i++) {
                into[i] = Float16.toBfloat16(values[at + i]);
            }
        }
    }

    private void write() {
        try {
            while (bytes.hasRemaining()) {
                int n = channel.write(bytes, offset);
                offset += n;
                written.addAndGet(n);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write merged weights: " + e + "; is the disk full?", e);
        }
    }

    @Override
    public void fact(String name, String value) {
        facts.put(name, value);
    }

    Map<String, String> facts() {
        return facts;
    }
}
