package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** The stored tensors that make up packed ones, with checks of types and shapes. */
final class PackedParts {

    /** Number of elements per block in which packed matrices are presented. */
    static final int BLOCK = 32;

    private static final int MOST_BYTES = 1 << 30;

    /** Stored numbers, mapped and decoded individually. */
    @FunctionalInterface
    interface Numbers {
        float at(int index);
    }

    private final TensorFile file;

    PackedParts(TensorFile file) {
        this.file = file;
    }

    boolean has(String name) {
        return file.tensors().containsKey(name);
    }

    TensorInfo require(String name) {
        TensorInfo info = file.tensors().get(name);
        if (info == null) {
            throw new MalformedFileException(name + " is absent; the file is damaged, download it again");
        }
        return info;
    }

    TensorInfo matrix(String name) {
        TensorInfo info = file.tensors().get(name);
        if (info == null || info.shape().size() != 2 || info.elements() == 0) {
            throw new MalformedFileException(
                    name + " must be a matrix but is " + (info == null ? "absent" : info.shape()));
        }
        return info;
    }

    void requireShape(String name, long... shape) {
        List<Long> due = Arrays.stream(shape).boxed().toList();
        if (!has(name) || !file.info(name).shape().equals(due)) {
            throw new MalformedFileException(name + " must be of shape " + due + " but is "
                    + (has(name) ? file.info(name).shape() : "absent")
                    + "; the file is damaged, download it again");
        }
    }

    void requireType(String name, DType... types) {
        TensorInfo info = require(name);
        if (!List.of(types).contains(info.type())) {
            throw new MalformedFileException(name + " must be of type " + types[0] + " but is " + info.type());
        }
        if (info.byteLength() > MOST_BYTES) {
            throw new UnsupportedModelException(name + " must be at most 2^30 bytes but is " + info.byteLength());
        }
    }

    /** A tensor whose numbers {@link #numbers} can decode. */
    void requireNumbers(String name) {
        requireType(name, DType.F32, DType.F16, DType.BF16, DType.U8, DType.F8_E8M0);
    }

    /** All bytes of a tensor, mapped. */
    ByteBuffer whole(String name) {
        return file.bytes(name, 0, (int) file.info(name).byteLength()).order(ByteOrder.LITTLE_ENDIAN);
    }

    ByteBuffer bytes(String name, long offset, int length) {
        return file.bytes(name, offset, length).order(ByteOrder.LITTLE_ENDIAN);
    }

    Numbers numbers(String name) {
        ByteBuffer bytes = whole(name);
        return switch (file.info(name).type()) {
            case F16 -> i -> Float16.toFloat(bytes.getShort(2 * i));
            case BF16 -> i -> Float16.fromBfloat16(bytes.getShort(2 * i));
            case U8 -> i -> bytes.get(i) & 0xff;
            case F8_E8M0 -> i -> (float) Math.scalb(1.0, (bytes.get(i) & 0xff) - 127);
            default -> i -> bytes.getFloat(4 * i);
        };
    }

    /** A matrix with blocks of 32 elements along its rows. */
    static TensorInfo shown(String name, DType type, int rows, int columns) {
        if (columns % BLOCK != 0) {
            throw new UnsupportedModelException(name + ": packed rows of " + columns
                    + " columns are not supported, only multiples of " + BLOCK + "; use the original model");
        }
        long bytes = (long) rows * (columns / BLOCK) * type.blockBytes();
        return new TensorInfo(name, type, List.of((long) rows, (long) columns), 0, bytes);
    }
}
