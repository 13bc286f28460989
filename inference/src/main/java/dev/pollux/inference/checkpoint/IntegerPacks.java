package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/**
 * Integers with a scale, and optionally a zero point, per group along the row: GPTQ (Frantar et al., arXiv:2210.17323), AWQ
 * (Lin et al., arXiv:2306.00978), compressed-tensors, and the int8 format of bitsandbytes (Dettmers et al., arXiv:2208.07339).
 *
 * <p>An element is (q − z) · s. The difference q − z is stored in the narrowest block that can represent it:
 *
 * <table>
 * <caption>Blocks</caption>
 * <tr><th>bits</th><th>codes</th></tr>
 * <tr><td>4</td><td>codes of 2 or 3 bits; codes of 4 bits with z = 8 in every group</td></tr>
 * <tr><td>8</td><td>other codes of 4 bits; codes of 8 bits with z = 128 in every group</td></tr>
 * <tr><td>16</td><td>other codes of 8 bits; groups in the order of activation</td></tr>
 * </table>
 */
final class IntegerPacks {

    /** The column of each nibble of an AWQ word, lowest nibble first. */
    private static final int[] AWQ_ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    private static final int[] IN_ORDER = {};

    private static final double PER_127 = 1.0 / 127;

    /** Access to the code of an element, and to the zero point and the scale of its group. */
    private interface Packed {
        int code(int row, int column);

        int zero(int row, int group);

        float scale(int row, int group);
    }

    private final PackedParts parts;
    private final Settings quantization;

    IntegerPacks(PackedParts parts, Settings quantization) {
        this.parts = parts;
        this.quantization = quantization;
    }

    /**
     * GPTQ: {@code at.qweight} [columns · bits / 32, rows], each word a run of bits along a column; zeros [groups, rows · bits
     * / 32].
     */
    PackedTensor gptq(String at) {
        int bits = quantization.integer("bits", 4);
        if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
            throw new UnsupportedModelException("Published weights of " + bits
                    + " bits are not supported, only 2, 3, 4 and 8; use the original model or a GGUF file");
        }
        TensorInfo words = words(at + ".qweight");
        parts.matrix(at + ".scales");
        parts.requireNumbers(at + ".scales");
        int columns = Math.multiplyExact(words.dim(0), 32) / bits;
        int rows = words.dim(1);
        if (rows * (long) bits % 32 != 0) {
            throw new UnsupportedModelException(
                    at + ": " + rows + " rows must be a multiple of " + 32 / bits + ", as zeros are packed");
        }
        int group = group(at, columns, parts.require(at + ".scales").dim(0));
        int[] order = groups(at + ".g_idx", columns, group);
        int zeroWords = rows * bits / 32;
        parts.requireShape(at + ".qzeros", columns / group, zeroWords);
        parts.requireType(at + ".qzeros", DType.I32, DType.U32);
        parts.requireShape(at + ".scales", columns / group, rows);
        int added = quantization.text("checkpoint_format", "gptq").equals("gptq_v2") ? 0 : 1;
        return matrix(at, new Shape(rows, columns, group, bits, order), () -> {
            ByteBuffer codes = parts.whole(at + ".qweight");
            ByteBuffer zeros = parts.whole(at + ".qzeros");
            PackedParts.Numbers scales = parts.numbers(at + ".scales");
            return new Packed() {
                @Override
                public int code(int row, int column) {
                    return bits(codes, row, rows, column * bits, bits);
                }

                @Override
                public int zero(int row, int g) {
                    return bits(zeros, g * zeroWords, 1, row * bits, bits) + added;
                }

                @Override
                public float scale(int row, int g) {
                    return scales.at(g * rows + row);
                }
            };
        });
    }

    /**
     * Extracts {@code count} bits, starting at bit {@code bit}, of a sequence of words: the first is word {@code first}, and
     * successive words are {@code step} words apart.
     */
    private static int bits(ByteBuffer words, int first, int step, int bit, int count) {
        int at = (first + bit / 32 * step) * 4;
        int shift = bit % 32;
        int value = words.getInt(at) >>> shift;
        if (shift + count > 32) {
            value |= words.getInt(at + step * 4) << 32 - shift;
        }
        return value & (1 << count) - 1;
    }

    /** AWQ: {@code at.qweight} [columns, rows / 8]; zeros [groups, rows / 8]. */
    PackedTensor awq(String at) {
        int bits = quantization.integer("bits", 4);
        if (bits != 4) {
            throw new UnsupportedModelException("Published AWQ weights of " + bits
                    + " bits are not supported, only 4; use the original model or a GGUF file");
        }
        TensorInfo words = words(at + ".qweight");
        parts.matrix(at + ".scales");
        parts.requireNumbers(at + ".scales");
        int columns = words.dim(0);
        int rows = Math.multiplyExact(words.dim(1), 8);
        int group = group(at, columns, parts.require(at + ".scales").dim(0));
        parts.requireShape(at + ".qzeros", columns / group, rows / 8);
        parts.requireType(at + ".qzeros", DType.I32, DType.U32);
        parts.requireShape(at + ".scales", columns / group, rows);
        int[] shift = new int[8];
        for (int nibble = 0; nibble < 8; nibble++) {
            shift[AWQ_ORDER[nibble]] = nibble * 4;
        }
        return matrix(at, new Shape(rows, columns, group, 4, IN_ORDER), () -> {
            ByteBuffer codes = parts.whole(at + ".qweight");
            ByteBuffer zeros = parts.whole(at + ".qzeros");
            PackedParts.Numbers scales = parts.numbers(at + ".scales");
            return new Packed() {
                @Override
                public int code(int row, int column) {
                    return codes.getInt((column * (rows / 8) + row / 8) * 4) >>> shift[row % 8] & 15;
                }

                @Override
                public int zero(int row, int g) {
                    return zeros.getInt((g * (rows / 8) + row / 8) * 4) >>> shift[row % 8] & 15;
                }

                @Override
                public float scale(int row, int g) {
                    return scales.at(g * rows + row);
                }
            };
        });
    }

    /** compressed-tensors: {@code at.weight_packed} [rows, columns · bits / 32]; zeros [rows · bits / 32, groups]. */
    PackedTensor compressed(String at) {
        TensorInfo words = words(at + ".weight_packed");
        int rows = words.dim(0);
        int bits = compressedBits(at, words);
        int columns = Math.multiplyExact(words.dim(1), 32 / bits);
        PackedScales scales = PackedScales.of(parts, at + ".weight_scale", rows, columns, quantization);
        int group = group(at, columns, scales.groups());
        int[] order = groups(at + ".weight_g_idx", columns, group);
        boolean zeroed = parts.has(at + ".weight_zero_point");
        int groups = columns / group;
        if (zeroed) {
            parts.requireShape(at + ".weight_zero_point", (rows * (long) bits + 31) / 32, groups);
            parts.requireType(at + ".weight_zero_point", DType.I32, DType.U32);
        }
        return matrix(at, new Shape(rows, columns, group, bits, order), () -> {
            ByteBuffer codes = parts.whole(at + ".weight_packed");
            ByteBuffer zeros = zeroed ? parts.whole(at + ".weight_zero_point") : ByteBuffer.allocate(0);
            PackedScales.Reader read = scales.open();
            return new Packed() {
                @Override
                public int code(int row, int column) {
                    return bits(codes, row * words.dim(1), 1, column * bits, bits);
                }

                @Override
                public int zero(int row, int g) {
                    return zeroed ? bits(zeros, g, groups, row * bits, bits) : 1 << bits - 1;
                }

                @Override
                public float scale(int row, int g) {
                    return read.at(row, g * group);
                }
            };
        });
    }

    /** The stored shape distinguishes 4 from 8 bits; if it is absent, the configuration does. */
    private int compressedBits(String at, TensorInfo words) {
        String name = at + ".weight_shape";
        if (parts.has(name)) {
            parts.requireShape(name, 2);
            parts.requireType(name, DType.I64, DType.I32);
            ByteBuffer shape = parts.whole(name);
            long columns = parts.require(name).type() == DType.I64 ? shape.getLong(8) : shape.getInt(4);
            if (columns == 8L * words.dim(1) || columns == 4L * words.dim(1)) {
                return columns == 8L * words.dim(1) ? 4 : 8;
            }
            throw new UnsupportedModelException(at + ": " + columns + " columns in " + words.dim(1)
                    + " words are neither 4 nor 8 bits each; use the original model or a GGUF file");
        }
        int bits = quantization.at("config_groups").at("group_0").at("weights").integer("num_bits", 4);
        if (bits != 4 && bits != 8) {
            throw new UnsupportedModelException("Published weights of " + bits
                    + " bits are not supported, only 4 and 8; use the original model or a GGUF file");
        }
        return bits;
    }

    /** Signed bytes, {@code at.weight} [rows, columns], with scales and optionally zero points. */
    PackedTensor bytes(String at) {
        TensorInfo stored = parts.matrix(at + ".weight");
        parts.requireType(at + ".weight", DType.I8);
        int rows = stored.dim(0);
        int columns = stored.dim(1);
        boolean largest = parts.has(at + ".SCB"); // the maximum of each row, as bitsandbytes stores it
        PackedScales scales =
                PackedScales.of(parts, at + (largest ? ".SCB" : ".weight_scale"), rows, columns, quantization);
        int group = group(at, columns, scales.groups());
        String zeroName = at + ".weight_zero_point";
        boolean zeroed = parts.has(zeroName);
        if (zeroed) {
            parts.requireType(zeroName, DType.I8);
            long elements = parts.require(zeroName).elements();
            if (elements != (long) rows * (columns / group)) {
                throw new MalformedFileException(zeroName + " must have " + (long) rows * (columns / group)
                        + " elements but has " + elements + "; the file is damaged, download it again");
            }
        }
        return matrix(at, new Shape(rows, columns, group, 8, IN_ORDER), () -> {
            ByteBuffer codes = parts.whole(at + ".weight");
            ByteBuffer zeros = zeroed ? parts.whole(zeroName) : ByteBuffer.allocate(0);
            PackedScales.Reader read = scales.open();
            return new Packed() {
                @Override
                public int code(int row, int column) {
                    return codes.get(row * columns + column) + 128;
                }

                @Override
                public int zero(int row, int g) {
                    return zeroed ? zeros.get(row * (columns / group) + g) + 128 : 128;
                }

                @Override
                public float scale(int row, int g) {
                    float scale = read.at(row, g * group);
                    return largest ? (float) (scale * PER_127) : scale;
                }
            };
        });
    }

    /** @param groups the group of each column if groups are not consecutive; otherwise empty */
    private record Shape(int rows, int columns, int group, int bits, int[] groups) {}

    private static PackedTensor matrix(String at, Shape shape, Supplier<Packed> open) {
        TensorInfo info = PackedParts.shown(at + ".weight", type(shape, open.get()), shape.rows(), shape.columns());
        DType type = info.type();
        return new PackedTensor(info, () -> {
            Packed packed = open.get();
            return shape.groups().length == 0
                    ? (row, column, out) -> block(packed, row, column, shape.group(), type, out)
                    : (row, column, out) -> mixed(packed, row, column, shape.groups(), out);
        });
    }

    private static DType type(Shape shape, Packed packed) {
        if (shape.groups().length > 0) {
            return DType.PACKED_INT16;
        }
        if (shape.bits() < 4) {
            return DType.PACKED_INT4;
        }
        int middle = 1 << shape.bits() - 1;
        for (int row = 0; row < shape.rows(); row++) {
            for (int g = 0; g < shape.columns() / shape.group(); g++) {
                if (packed.zero(row, g) != middle) {
                    return shape.bits() == 4 ? DType.PACKED_INT8 : DType.PACKED_INT16;
                }
            }
        }
        return shape.bits() == 4 ? DType.PACKED_INT4 : DType.PACKED_INT8;
    }

    private static void block(Packed packed, int row, int column, int group, DType type, ByteBuffer out) {
        int g = column / group;
        int zero = packed.zero(row, g);
        out.putFloat(packed.scale(row, g));
        if (type == DType.PACKED_INT4) {
            for (int i = 0; i < PackedParts.BLOCK / 2; i++) {
                int low = packed.code(row, column + i) - zero + 8;
                int high = packed.code(row, column + i + PackedParts.BLOCK / 2) - zero + 8;
                out.put((byte) (low & 15 | high << 4));
            }
            return;
        }
        for (int i = 0; i < PackedParts.BLOCK; i++) {
            int difference = packed.code(row, column + i) - zero;
            if (type == DType.PACKED_INT8) {
                out.put((byte) difference);
            } else {
                out.putShort((short) difference);
            }
        }
    }

    /** A block whose columns belong to several groups: 16 bits with one scale, exact to 1/65534 of its largest element. */
    private static void mixed(Packed packed, int row, int column, int[] groups, ByteBuffer out) {
        float[] values = new float[PackedParts.BLOCK];
        float most = 0;
        for (int i = 0; i < values.length; i++) {
            int g = groups[column + i];
            values[i] = (packed.code(row, column + i) - packed.zero(row, g)) * packed.scale(row, g);
            most = Math.max(most, Math.abs(values[i]));
        }
        float scale = most / Short.MAX_VALUE;
        out.putFloat(scale);
        for (float value : values) {
            out.putShort((short) (scale == 0 ? 0 : Math.round(value / scale)));
        }
    }

    private TensorInfo words(String name) {
        TensorInfo info = parts.matrix(name);
        parts.requireType(name, DType.I32, DType.U32);
        return info;
    }

    private static int group(String at, int columns, int groups) {
        if (groups < 1 || columns % groups != 0 || columns / groups % PackedParts.BLOCK != 0) {
            throw new UnsupportedModelException(at + ": " + columns + " columns in " + groups
                    + " groups are not supported: a group must be a multiple of " + PackedParts.BLOCK + " columns");
        }
        return columns / groups;
    }

    /** The group of each column if groups were sorted by activation (desc_act); empty if they are consecutive. */
    private int[] groups(String name, int columns, int group) {
        if (!parts.has(name)) {
            return IN_ORDER;
        }
        parts.requireType(name, DType.I32, DType.U32);
        parts.requireShape(name, columns);
        ByteBuffer stored = parts.whole(name);
        int[] groups = new int[columns];
        boolean inOrder = true;
        for (int i = 0; i < columns; i++) {
            groups[i] = stored.getInt(i * 4);
            if (groups[i] < 0 || groups[i] >= columns / group) {
                throw new MalformedFileException(name + " must hold groups in [0, " + columns / group + ") but holds "
                        + groups[i] + "; the file is damaged, download it again");
            }
            inOrder &= groups[i] == i / group;
        }
        return inOrder ? IN_ORDER : groups;
    }
}
