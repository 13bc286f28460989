package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSource;
import java.util.List;

/**
 * A concatenation of tensors with a given shape.
 *
 * @param shape the shape of the whole; its number of elements is the sum over the parts
 */
record JoinedTensor(List<Long> shape, List<TensorSource> parts, String label) implements TensorSource {

    JoinedTensor {
        shape = List.copyOf(shape);
        parts = List.copyOf(parts);
    }

    @Override
    public long storedBytes() {
        return parts.stream().mapToLong(TensorSource::storedBytes).sum();
    }

    @Override
    public TensorSource ready() {
        return new JoinedTensor(shape, parts.stream().map(TensorSource::ready).toList(), label);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        long begin = 0;
        for (TensorSource part : parts) {
            long end = begin + part.elements();
            long from = Math.max(first, begin);
            long to = Math.min(first + count, end);
            if (from < to) {
                part.read(from - begin, (int) (to - from), into, at + (int) (from - first));
            }
            begin = end;
        }
    }
}
