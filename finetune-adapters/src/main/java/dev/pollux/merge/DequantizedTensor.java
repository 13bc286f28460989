package dev.pollux.merge;

import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A tensor of a GGUF file as floats.
 *
 * @param name what {@code file} calls it
 * @param label for reports
 */
record DequantizedTensor(TensorFile file, String name, TensorInfo info, String label) implements TensorSource {

    @Override
    public List<Long> shape() {
        return info.shape();
    }

    @Override
    public long storedBytes() {
        return info.byteLength();
    }

    /** Whole blocks are decoded, and what of the first and the last is not asked for is dropped. */
    @Override
    public void read(long first, int count, float[] into, int at) {
        int block = info.type().blockSize();
        long from = first / block * block;
        long to = (first + count + block - 1) / block * block;
        float[] values = file.floats(name, from, Math.toIntExact(to - from));
        System.arraycopy(values, (int) (first - from), into, at, count);
    }
}
