package dev.pollux.tensor;

import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Named tensors in one or more mapped files, read lazily.
 *
 * <p>The caller that opens a file closes it. Returned buffers stay valid after that. <em>Thread-safe.</em>
 */
public interface TensorFile extends AutoCloseable {

    /** The tensors by name, in the order of the file. */
    Map<String, TensorInfo> tensors();

    /**
     * Bytes of a tensor, mapped.
     *
     * @param offset first byte within the tensor
     * @param length at most 2^30
     * @return read-only, little-endian
     * @throws IllegalArgumentException if there is no such tensor or the range is outside it
     * @throws IllegalStateException after {@link #close()}
     */
    ByteBuffer bytes(String name, long offset, int length);

    /** The tensor named {@code name}. */
    default TensorInfo info(String name) {
        TensorInfo info = tensors().get(name);
        if (info == null) {
            throw new IllegalArgumentException(
                    "No tensor '" + name + "' among " + tensors().size());
        }
        return info;
    }

    /**
     * Elements as floats, dequantized.
     *
     * @param first index of the first element in row-major order; a multiple of the type's block size
     * @return (count)
     * @throws UnsupportedModelException if the type has no reader yet
     */
    default float[] floats(String name, long first, int count) {
        requireReadable(name, first, count); // before memory is taken
        float[] values = new float[count];
        read(name, first, count, values, 0);
        return values;
    }

    /**
     * Writes elements as floats, dequantized, into an array.
     *
     * @param first index of the first element in row-major order; a multiple of the type's block size
     * @param into receives the elements from index {@code at} on
     * @throws UnsupportedModelException if the type has no reader yet
     */
    default void read(String name, long first, int count, float[] into, int at) {
        DType type = requireReadable(name, first, count);
        int step = 1 << 24; // a multiple of every block size
        for (int done = 0; done < count; ) {
            int some = Math.min(step, count - done);
            long offset = (first + done) / type.blockSize() * type.blockBytes();
            int length = some / type.blockSize() * type.blockBytes();
            Dequantizer.decode(type, bytes(name, offset, length), into, at + done, some);
            done += some;
        }
    }

    private DType requireReadable(String name, long first, int count) {
        TensorInfo info = info(name);
        DType type = info.type();
        if (first % type.blockSize() != 0 || count % type.blockSize() != 0) {
            throw new IllegalArgumentException("first and count must be multiples of " + type.blockSize()
                    + ", the block of " + type + ", but were " + first + " and " + count);
        }
        if (first < 0 || count < 0 || first > info.elements() - count) {
            throw new IllegalArgumentException("elements " + first + " to " + (first + count) + " are outside " + name
                    + ", which has " + info.elements());
        }
        Dequantizer.requireReader(type);
        return type;
    }

    /** A whole tensor as floats, dequantized; one of more than 2^31 − 9 elements must be read in pieces. */
    default float[] floats(String name) {
        long elements = info(name).elements();
        if (elements > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    name + " has " + elements + " elements, more than an array holds; read it in pieces");
        }
        return floats(name, 0, (int) elements);
    }

    /** Closes the files. Idempotent. */
    @Override
    void close();
}
