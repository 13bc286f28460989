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
    public void read(long first, int count, float[] into, int at) {
        int size = info.type().blockBytes();
        ByteBuffer bytes = file.bytes(info.name(), first * size, count * size);
        if (info.type() == DType.F32) {
            bytes.asFloatBuffer().get(into, at, count);
        } else if (info.type() == DType.F64) {
            for (int i = 0; i < count; i++) {
                into[at + i] = (float) bytes.getDouble(8 * i);
            }
        } else {
            halves(bytes.asShortBuffer(), info.type() == DType.BF16, into, at, count);
        }
    }

    private static void halves(ShortBuffer from, boolean brain, float[] into, int at, int count) {
        short[] some = new short[Math.min(STEP, count)];
        for (int done = 0; done < count; done += some.length) {
            int n = Math.min(some.length, count - done);
            from.get(some, 0, n);
            int to = at + done;
            if (brain) {
                for (int i = 0; i < n; i++) {
                    into[to + i] = Float.intBitsToFloat(some[i] << 16);
                }
            } else {
                for (int i = 0; i < n; i++) {
                    into[to + i] = Float16.toFloat(some[i]);
                }
            }
        }
    }
}
