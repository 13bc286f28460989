package dev.pollux.merge;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.Float16;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import java.util.Set;

/**
 * A tensor in a file.
 *
 * @param label for reports
 */
record StoredTensor(TensorFile file, TensorInfo info, String label) implements TensorSource {

    static final Set<DType> READABLE = Set.of(DType.F32, DType.F16, DType.BF16, DType.F64);

    private static final int STEP = 1 << 13;

    @Override
    public List<Long> shape() {
        return info.shape();
    }

    @Override
    public long storedBytes() {
        return info.byteLength();
    }

    @Override
    public boolean isCheap() {
        return info.type() == DType.F32 || info.type() == DType.BF16;
    }

    @Override
    public TensorSource ready() {
        return new Reading(this, new short[info.type().blockBytes() == Short.BYTES ? STEP : 0]);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        ready().read(first, count, into, at);
    }

    private void read(long first, int count, float[] into, int at, short[] scratch) {
        int size = info.type().blockBytes();
        ByteBuffer bytes = file.bytes(info.name(), first * size, count * size);
        if (info.type() == DType.F32) {
            bytes.asFloatBuffer().get(into, at, count);
        } else if (info.type() == DType.F64) {
            for (int i = 0; i < count; i++) {
                into[at + i] = (float) bytes.getDouble(8 * i);
            }
        } else {
            halves(bytes.asShortBuffer(), into, at, count, scratch);
        }
    }

    private void halves(ShortBuffer from, float[] into, int at, int count, short[] scratch) {
        for (int done = 0; done < count; done += scratch.length) {
            int n = Math.min(scratch.length, count - done);
            from.get(scratch, 0, n);
            if (info.type() == DType.BF16) {
                fromBrain(scratch, n, into, at + done);
            } else {
                fromHalf(scratch, n, into, at + done);
            }
        }
    }

    static void fromBrain(short[] from, int count, float[] into, int at) {
        for (int i = 0; i < count; i++) {
            into[at + i] = Float.intBitsToFloat(from[i] << 16);
        }
    }

    private static void fromHalf(short[] from, int count, float[] into, int at) {
        for (int i = 0; i < count; i++) {
            into[at + i] = Float16.toFloat(from[i]);
        }
    }

    /** The tensor with an array that its reads share. <em>Confined to one thread.</em> */
    private record Reading(StoredTensor tensor, short[] scratch) implements TensorSource {

        @Override
        public List<Long> shape() {
            return tensor.shape();
        }

        @Override
        public String label() {
            return tensor.label();
        }

        @Override
        public long storedBytes() {
            return tensor.storedBytes();
        }

        @Override
        public void read(long first, int count, float[] into, int at) {
            tensor.read(first, count, into, at, scratch);
        }
    }
}
