package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import dev.pollux.internal.math.Kernels;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import java.util.Set;

/**
 * A tensor in a file.
 *
 * @param label for reports
 */
public record StoredTensor(TensorFile file, TensorInfo info, String label) implements TensorSource {

    /** The types of elements that can be read. */
    public static final Set<DType> READABLE = Set.of(DType.F32, DType.F16, DType.BF16, DType.F64);

    private static final int STEP = 1 << 13;

    /** Bytes that are mapped at once. */
    private static final int REGION = 1 << 26;

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
        return new Reading(this);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        ready().read(first, count, into, at);
    }

    /** The tensor with a region of its file and an array that its reads share. <em>Confined to one thread.</em> */
    private static final class Reading implements TensorSource {
        private final StoredTensor tensor;
        private final DType type;
        private final int size; // of an element, in bytes
        private final short[] halves;
        private ByteBuffer region = ByteBuffer.allocate(0);
        private ShortBuffer regionHalves = region.asShortBuffer();
        private long begin; // of the region, in elements

        Reading(StoredTensor tensor) {
            this.tensor = tensor;
            this.type = tensor.info.type();
            this.size = type.blockBytes();
            this.halves = new short[size == Short.BYTES ? STEP : 0];
        }

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
            int from = place(first, count);
            if (type == DType.F32) {
                region.position(from * Float.BYTES);
                region.asFloatBuffer().get(into, at, count);
            } else if (type == DType.F64) {
                for (int i = 0; i < count; i++) {
                    into[at + i] = (float) region.getDouble((from + i) * Double.BYTES);
                }
            } else {
                readHalves(from, count, into, at);
            }
        }

        /**
         * The position of element {@code first} in the region. The region is moved if it does not contain the requested
         * range.
         */
        private int place(long first, int count) {
            if (first < begin || (first - begin + count) * size > region.capacity()) {
                long rest = tensor.storedBytes() - first * size;
                region = tensor.file.bytes(tensor.info.name(), first * size, (int)
                        Math.min(rest, Math.max(REGION, (long) count * size)));
                regionHalves = region.asShortBuffer();
                begin = first;
            }
            return (int) (first - begin);
        }

        private void readHalves(int from, int count, float[] into, int at) {
            for (int done = 0; done < count; done += STEP) {
                int n = Math.min(STEP, count - done);
                regionHalves.get(from + done, halves, 0, n);
                if (type == DType.BF16) {
                    Kernels.BEST.decode(halves, n, into, at + done);
                } else {
                    fromHalf(halves, n, into, at + done);
                }
            }
        }

        private static void fromHalf(short[] from, int count, float[] into, int at) {
            for (int i = 0; i < count; i++) {
                into[at + i] = Float16.toFloat(from[i]);
            }
        }
    }
}
