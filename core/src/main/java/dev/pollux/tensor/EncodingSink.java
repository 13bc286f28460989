package dev.pollux.tensor;

import dev.pollux.StorageException;
import dev.pollux.internal.math.Float16;
import dev.pollux.internal.math.Kernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** Rounds elements to a file's type and writes them, starting at an offset. */
public final class EncodingSink implements TensorSink {

    private static final int BUFFER = 1 << 17;
    private static final int HALVES = 1 << 12;

    private final DType type;
    private final FileChannel channel;
    private final AtomicLong written;
    private final ByteBuffer bytes;
    private final short[] halves = new short[HALVES];
    private final Map<String, String> facts = new TreeMap<>();
    private final NotFinite notFinite;
    private long offset;

    private EncodingSink(DType type, FileChannel channel, long offset, AtomicLong written, ByteBuffer bytes) {
        this.type = type;
        this.channel = channel;
        this.offset = offset;
        this.written = written;
        this.bytes = bytes.clear();
        this.notFinite = NotFinite.of(type);
    }

    /**
     * A sink that writes elements as {@code type} from {@code offset} on.
     *
     * @param written counts the bytes that all sinks write
     * @param bytes little-endian write buffer, created by {@link #buffer}
     */
    public static EncodingSink of(DType type, FileChannel channel, long offset, AtomicLong written, ByteBuffer bytes) {
        return new EncodingSink(type, channel, offset, written, bytes);
    }

    /** Creates a write buffer. */
    public static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Encodes elements into the buffer; see {@link #flush}. */
    @Override
    public void put(float[] values, int count) {
        for (int at = 0; at < count; ) {
            int some = Math.min(Math.min(HALVES, bytes.remaining() / type.blockBytes()), count - at);
            encode(values, at, some);
            at += some;
            if (bytes.remaining() < type.blockBytes()) {
                flush();
            }
        }
    }

    @Override
    public boolean isNarrow() {
        return type != DType.F32;
    }

    private void encode(float[] values, int at, int count) {
        notFinite.take(values, at, count);
        if (type == DType.F32) {
            bytes.asFloatBuffer().put(values, at, count);
        } else {
            toHalves(values, at, count);
            bytes.asShortBuffer().put(halves, 0, count);
        }
        bytes.position(bytes.position() + count * type.blockBytes());
    }

    private void toHalves(float[] values, int at, int count) {
        if (type == DType.BF16) {
            Kernels.BEST.encode(values, at, count, halves);
        } else if (type == DType.F16) {
            for (int i = 0; i < count; i++) {
                halves[i] = Float16.fromFloat(values[at + i]);
            }
        } else {
            throw new IllegalArgumentException("type must be F32, F16 or BF16 but was " + type);
        }
    }

    /** Writes the content of the buffer; must be called after the last element. */
    public void flush() {
        bytes.flip();
        try {
            while (bytes.hasRemaining()) {
                int n = channel.write(bytes, offset);
                offset += n;
                written.addAndGet(n);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot write merged weights: " + e + "; is the disk full?", e);
        }
        bytes.clear();
    }

    @Override
    public void fact(String name, String value) {
        facts.put(name, value);
    }

    /** Counts of values that were not finite before or after rounding. */
    public NotFinite notFinite() {
        return notFinite;
    }

    /** The recorded facts, by name. */
    public Map<String, String> facts() {
        return facts;
    }
}
