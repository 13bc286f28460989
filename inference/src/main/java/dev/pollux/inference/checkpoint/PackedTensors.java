package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.Float16;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Matrices that were published in 4 bits, shown as the block type that holds them: GPTQ (Frantar et al., arXiv:2210.17323),
 * AWQ (Lin et al., arXiv:2306.00978) and the packed form of compressed-tensors.
 *
 * <p>An element is (q − z) · s, with one z and s for a group along the row. Where z is 8 everywhere that is a Q4_0 block, code by
 * code; else a Q4_1 block with the minimum −z · s. Scales become 16-bit floats. Blocks are made as they are read; nothing is
 * written.
 */
final class PackedTensors implements TensorFile {

    static final Set<String> METHODS = Set.of("gptq", "awq", "compressed-tensors");

    private static final int BLOCK = 32;
    private static final int MIDDLE = 8;
    /** The column that each nibble of an AWQ word is of, lowest first. */
    private static final int[] AWQ_ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    /** A packed matrix: where element (row, column) has its code, its zero and its scale. */
    private interface Packed {
        int code(int row, int column);

        int zero(int row, int group);

        float scale(int row, int group);
    }

    private record Matrix(TensorInfo info, int group, Packed packed) {}

    private final TensorFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, Matrix> matrices = new HashMap<>();

    PackedTensors(TensorFile file, Settings quantization) {
        this.file = file;
        String method = quantization.text("quant_method", "");
        file.tensors().forEach((name, info) -> {
            if (name.endsWith(".qweight")) {
                String at = name.substring(0, name.length() - ".qweight".length());
                add(at, method.equals("awq") ? awq(at, quantization) : gptq(at, quantization));
            } else if (name.endsWith(".weight_packed")) {
                String at = name.substring(0, name.length() - ".weight_packed".length());
                add(at, compressed(at));
            } else if (!isPart(name)) {
                tensors.put(name, info);
            }
        });
    }

    private static boolean isPart(String name) {
        return name.matches(".*\\.(qzeros|scales|g_idx|weight_(scale|zero_point|shape|g_idx))");
    }

    private void add(String at, Matrix matrix) {
        tensors.put(at + ".weight", matrix.info());
        matrices.put(at + ".weight", matrix);
    }

    private Matrix gptq(String at, Settings quantization) {
        requireFourBits(quantization.integer("bits", 4));
        TensorInfo words = matrixOf(at + ".qweight"); // [columns / 8, rows]
        matrixOf(at + ".scales");
        int columns = Math.multiplyExact(words.dim(0), 8);
        int rows = words.dim(1);
        if (rows % 8 != 0) {
            throw new UnsupportedModelException(
                    at + ": " + rows + " rows must be a multiple of 8, as zeros are packed");
        }
        int group = group(at, columns, file.info(at + ".scales").dim(0));
        requireInOrder(at + ".g_idx", group);
        requireShape(at + ".qzeros", columns / group, rows / 8);
        requireShape(at + ".scales", columns / group, rows);
        int added = quantization.text("checkpoint_format", "gptq").equals("gptq_v2") ? 0 : 1;
        ByteBuffer codes = whole(at + ".qweight");
        ByteBuffer zeros = whole(at + ".qzeros"); // [groups, rows / 8]
        float[] scales = file.floats(at + ".scales"); // [groups, rows]
        return matrix(at, rows, columns, group, new Packed() {
            @Override
            public int code(int row, int column) {
                return codes.getInt((column / 8 * rows + row) * 4) >>> column % 8 * 4 & 15;
            }

            @Override
            public int zero(int row, int g) {
                return (zeros.getInt((g * (rows / 8) + row / 8) * 4) >>> row % 8 * 4 & 15) + added;
            }

            @Override
            public float scale(int row, int g) {
                return scales[g * rows + row];
            }
        });
    }

    private Matrix awq(String at, Settings quantization) {
        requireFourBits(quantization.integer("bits", 4));
        TensorInfo words = matrixOf(at + ".qweight"); // [columns, rows / 8]
        matrixOf(at + ".scales");
        int columns = words.dim(0);
        int rows = Math.multiplyExact(words.dim(1), 8);
        int group = group(at, columns, file.info(at + ".scales").dim(0));
        requireShape(at + ".qzeros", columns / group, rows / 8);
        requireShape(at + ".scales", columns / group, rows);
        int[] shift = new int[8];
        for (int nibble = 0; nibble < 8; nibble++) {
            shift[AWQ_ORDER[nibble]] = nibble * 4;
        }
        ByteBuffer codes = whole(at + ".qweight");
        ByteBuffer zeros = whole(at + ".qzeros"); // [groups, rows / 8]
        float[] scales = file.floats(at + ".scales"); // [groups, rows]
        return matrix(at, rows, columns, group, new Packed() {
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
                return scales[g * rows + row];
            }
        });
    }

    private Matrix compressed(String at) {
        TensorInfo words = matrixOf(at + ".weight_packed"); // [rows, columns / 8]
        matrixOf(at + ".weight_scale");
        int rows = words.dim(0);
        int columns = Math.multiplyExact(words.dim(1), 8);
        if (file.tensors().containsKey(at + ".weight_zero_point")) {
            throw new UnsupportedModelException(at + ": compressed-tensors with zero points are not supported, only"
                    + " symmetric ones; use the original model or a GGUF file");
        }
        int groups = file.info(at + ".weight_scale").dim(1);
        int group = group(at, columns, groups);
        requireInOrder(at + ".weight_g_idx", group);
        requireShape(at + ".weight_scale", rows, groups);
        ByteBuffer codes = whole(at + ".weight_packed");
        float[] scales = file.floats(at + ".weight_scale"); // [rows, groups]
        return matrix(at, rows, columns, group, new Packed() {
            @Override
            public int code(int row, int column) {
                return codes.getInt((row * (columns / 8) + column / 8) * 4) >>> column % 8 * 4 & 15;
            }

            @Override
            public int zero(int row, int g) {
                return MIDDLE;
            }

            @Override
            public float scale(int row, int g) {
                return scales[row * groups + g];
            }
        });
    }

    private Matrix matrix(String at, int rows, int columns, int group, Packed packed) {
        boolean symmetric = true;
        for (int row = 0; row < rows && symmetric; row++) {
            for (int g = 0; g < columns / group && symmetric; g++) {
                symmetric = packed.zero(row, g) == MIDDLE;
            }
        }
        DType type = symmetric ? DType.Q4_0 : DType.Q4_1;
        long bytes = (long) rows * (columns / BLOCK) * type.blockBytes();
        TensorInfo info = new TensorInfo(at + ".weight", type, List.of((long) rows, (long) columns), 0, bytes);
        return new Matrix(info, group, packed);
    }

    private TensorInfo matrixOf(String name) {
        TensorInfo info = file.tensors().get(name);
        if (info == null || info.shape().size() != 2) {
            throw new MalformedFileException(
                    name + " must be a matrix but is " + (info == null ? "absent" : info.shape()));
        }
        return info;
    }

    private static void requireFourBits(int bits) {
        if (bits != 4) {
            throw new UnsupportedModelException("Published weights of " + bits
                    + " bits are not supported, only 4; use the original model or a GGUF file");
        }
    }

    private static int group(String at, int columns, int groups) {
        if (groups < 1 || columns % groups != 0 || columns / groups % BLOCK != 0) {
            throw new UnsupportedModelException(at + ": " + columns + " columns in " + groups
                    + " groups are not supported: a group must be a multiple of " + BLOCK + " columns");
        }
        return columns / groups;
    }

    private void requireShape(String name, long rows, long columns) {
        if (!file.tensors().containsKey(name) || !file.info(name).shape().equals(List.of(rows, columns))) {
            throw new MalformedFileException(name + " must be of shape [" + rows + ", " + columns + "] but is "
                    + (file.tensors().containsKey(name) ? file.info(name).shape() : "absent")
                    + "; the file is damaged, download it again");
        }
    }

    /** Groups must follow one another; those sorted by activation cannot be blocks. */
    private void requireInOrder(String name, int group) {
        if (!file.tensors().containsKey(name)) {
            return;
        }
        ByteBuffer order = whole(name);
        for (int i = 0; i < order.remaining() / 4; i++) {
            if (order.getInt(i * 4) != i / group) {
                throw new UnsupportedModelException(name + ": groups in the order of activation (desc_act) are not"
                        + " supported; use a model quantized without it, or a GGUF file");
            }
        }
    }

    private ByteBuffer whole(String name) {
        TensorInfo info = file.info(name);
        if (info.type() != DType.I32 && info.type() != DType.U32) {
            throw new MalformedFileException(name + " must be of type I32 but is " + info.type());
        }
        if (info.byteLength() > 1 << 30) {
            throw new UnsupportedModelException(name + " must be at most 2^30 bytes but is " + info.byteLength());
        }
        return file.bytes(name, 0, (int) info.byteLength()).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        Matrix matrix = matrices.get(name);
        if (matrix == null) {
            return file.bytes(name, offset, length);
        }
        TensorInfo info = matrix.info();
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are outside " + name
                    + ", which has " + info.byteLength());
        }
        int size = info.type().blockBytes();
        long first = offset / size;
        int count = (int) ((offset + length + size - 1) / size - first);
        ByteBuffer blocks = ByteBuffer.allocate(Math.multiplyExact(count, size)).order(ByteOrder.LITTLE_ENDIAN);
        int perRow = info.dim(1) / BLOCK;
        for (int i = 0; i < count; i++) {
            block(matrix, (int) ((first + i) / perRow), (int) ((first + i) % perRow) * BLOCK, blocks);
        }
        int skipped = (int) (offset - first * size);
        return blocks.slice(skipped, length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Q4_0: scale, 16 bytes of codes, the first 16 elements low; Q4_1 has the minimum after the scale. */
    private static void block(Matrix matrix, int row, int column, ByteBuffer out) {
        int g = column / matrix.group();
        float scale = matrix.packed().scale(row, g);
        out.putShort(Float16.fromFloat(scale));
        if (matrix.info().type() == DType.Q4_1) {
            out.putShort(Float16.fromFloat(-matrix.packed().zero(row, g) * scale));
        }
        for (int i = 0; i < BLOCK / 2; i++) {
            int low = matrix.packed().code(row, column + i);
            int high = matrix.packed().code(row, column + i + BLOCK / 2);
            out.put((byte) (low | high << 4));
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
