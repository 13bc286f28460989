package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The 4-bit weights of bitsandbytes, NF4 and FP4 (Dettmers et al., arXiv:2305.14314).
 *
 * <p>A matrix is stored flat, two codes per byte, the first one in the high bits. Its value is
 * {@code value(c) · absmax[i / blocksize]} for element i with code c. With double quantization {@code absmax} consists of bytes
 * b, and
 *
 * <pre>absmax[k] = nested_quant_map[b[k]] · nested_absmax[k / nested_blocksize] + nested_offset</pre>
 *
 * <p>The tensor {@code quant_state.bitsandbytes__nf4} contains shape and sizes as JSON.
 */
final class BitsAndBytes {

    private static final int MOST_JSON = 4096;
    private static final float SAME = 1e-4f;
    private static final float[] NF4_ENDS = {-1.0f, -0.6961928f, 0.72295684f, 1.0f};
    private static final float[] FP4_ENDS = {0f, 0.0052083335f, -0.16666667f, -0.25f};

    private final PackedParts parts;

    BitsAndBytes(PackedParts parts) {
        this.parts = parts;
    }

    /** Opens a matrix; {@code weight} is the name of the tensor, and {@code type} is {@code nf4} or {@code fp4}. */
    PackedTensor of(String weight, String type) {
        Settings state = state(weight + ".quant_state.bitsandbytes__" + type);
        List<Double> shape = state.numbers("shape");
        parts.requireType(weight, DType.U8, DType.I8);
        long bytes = parts.require(weight).byteLength();
        if (shape.size() != 2
                || !whole(shape.get(0))
                || !whole(shape.get(1))
                || shape.get(0) * shape.get(1) != bytes * 2) {
            throw new MalformedFileException(weight + ": the shape " + shape + " does not fit " + bytes
                    + " bytes of two elements each; the file is damaged, download it again");
        }
        int columns = shape.get(1).intValue();
        int block = state.count("blocksize", 64);
        if (block % PackedParts.BLOCK != 0) {
            throw new UnsupportedModelException(weight + ": blocks of " + block
                    + " are not supported, only multiples of " + PackedParts.BLOCK + "; use the original model");
        }
        int blocks = (int) ((bytes * 2 + block - 1) / block);
        requireLength(weight + ".absmax", blocks);
        requireMap(weight + ".quant_map", type);
        TensorInfo info = PackedParts.shown(
                weight,
                type.equals("nf4") ? DType.PACKED_NF4 : DType.PACKED_FP4,
                shape.get(0).intValue(),
                columns);
        if (parts.require(weight + ".absmax").type() == DType.U8) {
            requireLength(weight + ".nested_quant_map", 256);
            int nested = state.count("nested_blocksize", 256);
            requireLength(weight + ".nested_absmax", (blocks + nested - 1) / nested);
        }
        return new PackedTensor(info, () -> {
            ByteBuffer codes = parts.whole(weight);
            PackedParts.Numbers largest = largest(weight, state);
            return (row, column, out) -> {
                int first = row * (columns / 2) + column / 2;
                out.putFloat(largest.at((int) (((long) row * columns + column) / block)));
                for (int i = 0; i < PackedParts.BLOCK / 2; i++) {
                    out.put((byte) (code(codes, first, i) | code(codes, first, i + PackedParts.BLOCK / 2) << 4));
                }
            };
        });
    }

    private static boolean whole(double size) {
        return size >= 1 && size <= Integer.MAX_VALUE && size == Math.rint(size);
    }

    private static int code(ByteBuffer codes, int first, int element) {
        return codes.get(first + element / 2) >> (element % 2 == 0 ? 4 : 0) & 15;
    }

    private PackedParts.Numbers largest(String weight, Settings state) {
        PackedParts.Numbers own = parts.numbers(weight + ".absmax");
        if (parts.require(weight + ".absmax").type() != DType.U8) {
            return own;
        }
        PackedParts.Numbers map = parts.numbers(weight + ".nested_quant_map");
        PackedParts.Numbers outer = parts.numbers(weight + ".nested_absmax");
        int block = state.count("nested_blocksize", 256);
        float offset = (float) state.number("nested_offset", 0);
        return i -> map.at((int) own.at(i)) * outer.at(i / block) + offset;
    }

    private Settings state(String name) {
        parts.requireType(name, DType.U8, DType.I8);
        long size = parts.require(name).byteLength();
        if (size > MOST_JSON) {
            throw new MalformedFileException(name + " must be at most " + MOST_JSON + " bytes but is " + size);
        }
        byte[] json = new byte[(int) size];
        parts.whole(name).get(json);
        return new Settings(Path.of(name), JsonNode.parse(json, name));
    }

    private void requireLength(String name, int length) {
        parts.requireNumbers(name);
        if (parts.require(name).elements() != length) {
            throw new MalformedFileException(name + " must have " + length + " elements but has "
                    + parts.require(name).elements() + "; the file is damaged, download it again");
        }
    }

    /** Checks the values of the codes, which the file also contains: different values would be a different format. */
    private void requireMap(String name, String type) {
        requireLength(name, 16);
        PackedParts.Numbers map = parts.numbers(name);
        float[] ends = type.equals("nf4") ? NF4_ENDS : FP4_ENDS;
        for (int i = 0; i < 4; i++) {
            if (!(Math.abs(map.at(i / 2 * 14 + i % 2) - ends[i]) < SAME)) {
                throw new UnsupportedModelException(
                        name + " holds other values than those of " + type + "; use the original model");
            }
        }
    }
}
