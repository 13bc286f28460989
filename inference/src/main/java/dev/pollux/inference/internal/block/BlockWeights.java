package dev.pollux.inference.internal.block;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.StackedMatrix;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A matrix in the format of MatMulNBits: codes (rows, blocks, blockSize·bits/8) and scales (rows, blocks). An element is
 * (code − 2^(bits−1)) · scale.
 *
 * <p>These types are converted exactly, code by code:
 *
 * <pre>
 * Q4_0, Q3_K, TQ1_0, TQ2_0, packed integers of 4 bits    to 4 or 8 bits
 * Q8_0, Q6_K, Q5_0, packed integers of 8 bits            to 8 bits
 * IQ4_NL, IQ4_XS, MXFP4 (in halves)                      to 8 bits
 * </pre>
 *
 * <p>Q4_1 and Q4_K have 4-bit codes and a real-valued minimum for each block, which the operator has no place for. {@link
 * #withMinima} keeps their codes and appends {@link MinimumColumns columns} for the minima.
 *
 * <p>All others are rounded to nearest: at 8 bits with the scale |max| / 127, at 4 bits with the element of largest
 * magnitude at −8, as in the operator's own quantizer.
 */
public final class BlockWeights {

    private final int bits;
    private final int blockSize;
    private final int columns;
    private final int blocks; // a row
    private final byte[] codes; // (rows, blocks, blockSize * bits / 8)
    private final float[] scales; // (rows, blocks)

    private BlockWeights(StackedMatrix matrix, int bits, int blockSize, int appended) {
        this.bits = bits;
        this.blockSize = blockSize;
        this.columns = matrix.columns();
        this.blocks = (columns + appended + blockSize - 1) / blockSize;
        this.scales = new float[Math.multiplyExact(matrix.rows(), blocks)];
        this.codes = new byte[Math.multiplyExact(scales.length, blockSize * bits / 8)];
    }

    /** Keeps the codes of block types unchanged; {@link BlockCodes#fit} must hold for every part. */
    public static BlockWeights exact(StackedMatrix matrix, int bits, int blockSize) {
        BlockWeights weights = new BlockWeights(matrix, bits, blockSize, 0);
        matrix.bytes((first, rows, type) -> weights.copy(first, rows, type));
        return weights;
    }

    /**
     * Keeps the codes unchanged, with minima in further columns; {@link BlockCodes#fitWithMinima} must hold for the parts.
     */
    public static BlockWeights withMinima(StackedMatrix matrix) {
        MinimumColumns minima = MinimumColumns.of(matrix.columns());
        BlockWeights weights = new BlockWeights(matrix, 4, MinimumColumns.BLOCK, minima.columns());
        matrix.bytes((first, rows, type) -> {
            weights.copy(first, rows, type);
            weights.append(first, rows, type, minima);
        });
        return weights;
    }

    /** Rounded to nearest. */
    public static BlockWeights rounded(StackedMatrix matrix, int bits, int blockSize) {
        BlockWeights weights = new BlockWeights(matrix, bits, blockSize, 0);
        matrix.floats((first, values, type) -> weights.round(first, values));
        return weights;
    }

    int bits() {
        return bits;
    }

    int blockSize() {
        return blockSize;
    }

    /** (rows, blocks, blockSize · bits / 8); not a copy. */
    public byte[] codes() {
        return codes;
    }

    /** (rows, blocks); not a copy. */
    public float[] scales() {
        return scales;
    }

    private void copy(int firstRow, ByteBuffer rows, DType type) {
        int parts = type.blockSize() / blockSize;
        int perRow = columns / blockSize;
        int count = rows.remaining() / type.blockBytes() * parts;
        for (int b = 0; b < count; b++) {
            int at = b / parts * type.blockBytes();
            int first = b % parts * blockSize;
            int block = (firstRow + b / perRow) * blocks + b % perRow;
            scales[block] = BlockCodes.scale(rows, at, type, first);
            for (int k = 0; k < blockSize; k++) {
                put(block, k, BlockCodes.code(rows, at, type, first + k) + (1 << bits - 1));
            }
        }
    }

    private void append(int firstRow, ByteBuffer rows, DType type, MinimumColumns minima) {
        int perRow = columns / blockSize;
        int parts = type.blockSize() / blockSize;
        float[] middles = new float[perRow];
        for (int row = 0; row < rows.remaining() / type.blockBytes() * parts / perRow; row++) {
            for (int b = 0; b < perRow; b++) {
                int at = (row * perRow + b) / parts * type.blockBytes();
                middles[b] = BlockCodes.middle(rows, at, type, (row * perRow + b) % parts * blockSize);
            }
            int block = (firstRow + row) * blocks + perRow;
            float[] values = minima.coarse(middles);
            for (int i = 0; i < values.length; i += blockSize) {
                roundTo4(block + i / blockSize, values, i, i + blockSize);
            }
            float[] rest = minima.fine(values, i -> value(block * blockSize + i));
            int next = block + values.length / blockSize;
            for (int i = 0; i < rest.length; i += blockSize) {
                roundTo4(next + i / blockSize, rest, i, i + blockSize);
            }
        }
    }

    private void round(int firstRow, float[] values) {
        for (int row = 0; row < values.length / columns; row++) {
            for (int b = 0; b < blocks; b++) {
                int from = row * columns + b * blockSize;
                int to = Math.min(row * columns + columns, from + blockSize);
                int block = (firstRow + row) * blocks + b;
                if (bits == 8) {
                    roundTo8(block, values, from, to);
                } else {
                    roundTo4(block, values, from, to);
                }
            }
        }
    }

    private void roundTo8(int block, float[] values, int from, int to) {
        int most = 0; // the bit patterns of magnitudes are ordered like the magnitudes
        for (int i = from; i < to; i++) {
            most = Math.max(most, Float.floatToRawIntBits(values[i]) & 0x7fffffff);
        }
        float scale = Float.intBitsToFloat(most) / 127;
        scales[block] = scale;
        float inverse = scale == 0 ? 0 : 1 / scale;
        int at = block * blockSize;
        for (int i = from; i < to; i++) {
            // Math.round(x) + 128: the sum is exact in double precision, and positive
            codes[at + i - from] = (byte) Math.min(255, (int) ((double) (values[i] * inverse) + 128.5));
        }
        Arrays.fill(codes, at + to - from, at + blockSize, (byte) 128);
    }

    private void roundTo4(int block, float[] values, int from, int to) {
        float extreme = 0;
        for (int i = from; i < to; i++) {
            if (Math.abs(values[i]) > Math.abs(extreme)) {
                extreme = values[i];
            }
        }
        float scale = extreme / -8;
        scales[block] = scale;
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int k = 0; k < blockSize; k++) {
            int code = from + k < to ? (int) ((double) (values[from + k] * inverse) + 8.5) : 8;
            put(block, k, Math.max(0, Math.min(15, code)));
        }
    }

    /** The value of an element of 4 bits, counted over the blocks of all rows. */
    private float value(int element) {
        return ((codes[element / 2] >> element % 2 * 4 & 15) - 8) * scales[element / blockSize];
    }

    private void put(int block, int k, int code) {
        if (bits == 8) {
            codes[block * blockSize + k] = (byte) code;
        } else {
            codes[(block * blockSize + k) / 2] |= (byte) (code << k % 2 * 4);
        }
    }
}
