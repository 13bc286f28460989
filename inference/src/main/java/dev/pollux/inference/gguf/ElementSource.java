package dev.pollux.inference.gguf;

import dev.pollux.tensor.TensorFile;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** Reads the elements of a tensor in the order of GGUF. <em>Thread-safe.</em> */
interface ElementSource {

    /**
     * Elements as floats.
     *
     * @param first index of the first; ranges are whole rows
     */
    float[] floats(long first, int count);

    /** Bytes in the stored type; empty if elements are moved or changed. */
    default Optional<ByteBuffer> bytes(long offset, int length) {
        return Optional.empty();
    }

    /** A tensor as it is stored. */
    record Stored(TensorFile file, String name) implements ElementSource {
        @Override
        public float[] floats(long first, int count) {
            return file.floats(name, first, count);
        }

        @Override
        public Optional<ByteBuffer> bytes(long offset, int length) {
            return Optional.of(file.bytes(name, offset, length));
        }
    }

    /** A tensor with a number added to each element. */
    record Shifted(TensorFile file, String name, float shift) implements ElementSource {
        @Override
        public float[] floats(long first, int count) {
            float[] values = file.floats(name, first, count);
            for (int i = 0; i < count; i++) {
                values[i] += shift;
            }
            return values;
        }
    }

    /**
     * Rows of q and k, reordered per head from [2, headDim / 2], rotation of halves, to [headDim / 2, 2], rotation of neighbouring
     * pairs.
     *
     * @param columns length of a row
     */
    record Paired(TensorFile file, String name, int columns, int headDim) implements ElementSource {
        @Override
        public float[] floats(long first, int count) {
            float[] values = new float[count];
            for (int row = 0; row < count / columns; row++) {
                long to = first / columns + row;
                int within = (int) (to % headDim);
                long from = to - within + within % 2 * (headDim / 2L) + within / 2;
                float[] moved = file.floats(name, from * columns, columns);
                System.arraycopy(moved, 0, values, row * columns, columns);
            }
            return values;
        }
    }

    /**
     * Tensors of equal shape, one after the other.
     *
     * @param each number of elements of one
     */
    record Stacked(TensorFile file, List<String> names, long each) implements ElementSource {

        public Stacked {
            names = List.copyOf(names);
        }

        @Override
        public float[] floats(long first, int count) {
            float[] values = new float[count];
            for (int done = 0; done < count; ) {
                long at = first + done;
                int some = (int) Math.min(count - done, each - at % each);
                float[] part = file.floats(names.get((int) (at / each)), at % each, some);
                System.arraycopy(part, 0, values, done, some);
                done += some;
            }
            return values;
        }
    }

    /** Numbers that were computed. */
    record Constant(List<Float> values) implements ElementSource {

        public Constant {
            values = List.copyOf(values);
        }

        @Override
        public float[] floats(long first, int count) {
            float[] some = new float[count];
            for (int i = 0; i < count; i++) {
                some[i] = values.get((int) first + i);
            }
            return some;
        }
    }
}
