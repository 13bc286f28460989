package dev.pollux.finetune.internal.model;

import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A tensor of a GGUF file as floats.
 *
 * @param name the name in {@code file}
 * @param label the name in reports
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

    /** Decodes whole blocks and drops the elements outside the requested range. */
    @Override
    public void read(long first, int count, float[] into, int at) {
        int block = info.type().blockSize();
        long from = first / block * block;
        long to = (first + count + block - 1) / block * block;
        float[] values = file.floats(name, from, Math.toIntExact(to - from));
        System.arraycopy(values, (int) (first - from), into, at, count);
    }
}
