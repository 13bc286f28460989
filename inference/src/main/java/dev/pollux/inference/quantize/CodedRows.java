package dev.pollux.inference.quantize;

import java.util.Arrays;

/**
 * Some rows of a quantized matrix. Weight (r, c) is (codes[r][c] − zeros[r][b]) · scales[r][b], where b = c / blockSize.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class CodedRows {

    final int rows;
    final int columns;
    final int bits;
    final int blockSize;
    final int blocks; // of a row
    final byte[] codes; // (rows, blocks · blockSize), the zero point beyond the columns
    final float[] scales; // (rows, blocks)
    final float[] zeros; // (rows, blocks)

    private double squaredError;
    private double squaredNorm;

    private final BlockFormat format;

    private CodedRows(int rows, int columns, BlockFormat format) {
        this.rows = rows;
        this.columns = columns;
        this.format = format;
        this.bits = format.bits();
        this.blockSize = format.blockSize();
        this.blocks = (columns + blockSize - 1) / blockSize;
        this.codes = new byte[Math.multiplyExact(Math.multiplyExact(rows, blocks), blockSize)];
        this.scales = new float[rows * blocks];
        this.zeros = new float[rows * blocks];
    }

    /**
     * Codes the rows of a matrix.
     *
     * @param values (rows, columns), finite
     * @param importance weights of the squared error by column, (columns); empty for 1
     */
    static CodedRows of(float[] values, int columns, BlockFormat format, BlockMethod method, double... importance) {
        CodedRows coded = new CodedRows(values.length / columns, columns, format);
        panels(values, columns, format, (panel, at) -> {
            if (importance.length > 0) {
                System.arraycopy(importance, at.block() * panel.blockSize, panel.importance, 0, panel.count);
            }
            coded.code(panel, at, method);
        });
        return coded;
    }

    /**
     * Codes the rows of a matrix that is given by columns, to the same codes.
     *
     * @param band (columns, rows); where a value is not finite, {@link #squaredNorm} is not either
     */
    static CodedRows ofBand(float[] band, int columns, BlockFormat format, BlockMethod method) {
        int rows = band.length / columns;
        CodedRows coded = new CodedRows(rows, columns, format);
        BlockPanel panel = BlockPanel.of(format);
        for (int block = 0; block < coded.blocks; block++) { // reads the band in order
            int from = block * panel.blockSize;
            panel.count = Math.min(panel.blockSize, columns - from);
            for (int row = 0; row < rows; row += panel.lanes) {
                int some = Math.min(panel.lanes, rows - row);
                for (int k = 0; k < panel.count; k++) {
                    fill(panel.values[k], band, (from + k) * rows + row, some);
                }
                coded.code(panel, new Place(row, some, block), method);
            }
        }
        return coded;
    }

    private static void fill(double[] lanes, float[] values, int at, int count) {
        for (int l = 0; l < count; l++) {
            lanes[l] = values[at + l];
        }
        Arrays.fill(lanes, count, lanes.length, 0);
    }

    private void code(BlockPanel panel, Place at, BlockMethod method) {
        method.code(panel);
        take(panel, at);
        panel.measure();
        for (int l = 0; l < at.rows(); l++) {
            squaredError += panel.errors[l];
            squaredNorm += panel.norms[l];
        }
    }

    /** The first row and the block of a panel; its lanes are consecutive rows. */
    record Place(int row, int rows, int block) {}

    /** Receives a filled panel. */
    @FunctionalInterface
    interface PanelVisitor {
        void accept(BlockPanel panel, Place place);
    }

    /** Visits the blocks of a matrix in panels; one panel is used for all visits. */
    static void panels(float[] values, int columns, BlockFormat format, PanelVisitor visitor) {
        int rows = values.length / columns;
        BlockPanel panel = BlockPanel.of(format);
        for (int row = 0; row < rows; row += panel.lanes) {
            int some = Math.min(panel.lanes, rows - row);
            for (int block = 0; block * panel.blockSize < columns; block++) {
                int from = block * panel.blockSize;
                panel.count = Math.min(panel.blockSize, columns - from);
                for (int l = 0; l < panel.lanes; l++) {
                    int at = (row + l) * columns + from;
                    for (int k = 0; k < panel.count; k++) {
                        panel.values[k][l] = l < some ? values[at + k] : 0;
                    }
                }
                visitor.accept(panel, new Place(row, some, block));
            }
        }
    }

    private void take(BlockPanel panel, Place place) {
        for (int l = 0; l < place.rows(); l++) {
            int block = (place.row() + l) * blocks + place.block();
            scales[block] = panel.scales[l];
            zeros[block] = (float) panel.zeros[l];
            int at = block * blockSize;
            for (int k = 0; k < panel.count; k++) {
                codes[at + k] =
                        (byte) Double.doubleToRawLongBits(panel.codes[k][l] + BlockPanel.ROUND); // the last bits
            }
            Arrays.fill(codes, at + panel.count, at + blockSize, (byte) (int) panel.zeros[l]);
        }
    }

    /** The format of the codes. */
    BlockFormat format() {
        return format;
    }

    /** Takes codes, scales and zero points of a row from others of the same shape and format. */
    void take(int row, CodedRows other) {
        int from = row * blocks;
        System.arraycopy(other.codes, from * blockSize, codes, from * blockSize, blocks * blockSize);
        System.arraycopy(other.scales, from, scales, from, blocks);
        System.arraycopy(other.zeros, from, zeros, from, blocks);
    }

    /**
     * Measures the error to other values than those that were coded.
     *
     * @param values (rows, columns)
     * @param factors by which columns were multiplied before they were coded, (columns); empty for 1
     */
    void measure(float[] values, double... factors) {
        squaredError = 0;
        squaredNorm = 0;
        for (int row = 0; row < rows; row++) {
            for (int block = 0; block < blocks; block++) {
                int at = (row * blocks + block) * blockSize;
                int from = row * columns + block * blockSize;
                int count = Math.min(blockSize, columns - block * blockSize);
                double scale = scales[row * blocks + block];
                double zero = zeros[row * blocks + block];
                double error = 0;
                double norm = 0;
                for (int k = 0; k < count; k++) {
                    double x = values[from + k];
                    double coded = ((codes[at + k] & 0xff) - zero) * scale;
                    double off = x - (factors.length == 0 ? coded : coded / factors[block * blockSize + k]);
                    error += off * off;
                    norm += x * x;
                }
                squaredError += error;
                squaredNorm += norm;
            }
        }
    }

    /** ‖W − Ŵ‖². */
    double squaredError() {
        return squaredError;
    }

    /** ‖W‖². */
    double squaredNorm() {
        return squaredNorm;
    }

    /** Divides a row by a number, which is absorbed by its scales. */
    void divideRow(int row, double by) {
        for (int block = row * blocks; block < (row + 1) * blocks; block++) {
            scales[block] = format.stored(scales[block] / by);
        }
    }

    /**
     * The values that the codes stand for, in 32-bit floats.
     *
     * @param factors by which columns were multiplied before they were coded, (columns); empty for 1
     * @return (rows, columns)
     */
    float[] dequantized(double... factors) {
        float[] values = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < columns; c++) {
                int block = row * blocks + c / blockSize;
                int code = codes[block * blockSize + c % blockSize] & 0xff;
                float value = (code - zeros[block]) * scales[block];
                values[row * columns + c] = factors.length == 0 ? value : (float) (value / factors[c]);
            }
        }
        return values;
    }

    /** Codes as MatMulNBits reads them, (rows, blocks, blockSize · bits / 8). */
    byte[] packedBlocks() {
        return PackedCodes.rows(codes, blockSize, bits);
    }

    /** Codes without those beyond the columns, (rows, ⌈columns · bits / 8⌉). */
    byte[] packedRows() {
        int rowBytes = PackedCodes.bytes(columns, bits);
        byte[] packed = new byte[Math.multiplyExact(rows, rowBytes)];
        for (int row = 0; row < rows; row++) {
            PackedCodes.pack(codes, row * blocks * blockSize, columns, bits, packed, row * rowBytes);
        }
        return packed;
    }

    /** Zero points, (rows, ⌈blocks · bits / 8⌉); the middle of the codes where a row ends within a byte. */
    byte[] packedZeros() {
        byte[] packed = PackedCodes.rows(zeroCodes(), blocks, bits);
        int rowBytes = PackedCodes.bytes(blocks, bits);
        for (int row = 0; row < rows; row++) {
            for (int i = blocks; i < rowBytes * 8 / bits; i++) {
                PackedCodes.put(packed, (long) row * rowBytes * 8 / bits + i, bits, (byte) (1 << bits - 1));
            }
        }
        return packed;
    }

    /** Zero points as codes, (rows, blocks). */
    byte[] zeroCodes() {
        byte[] whole = new byte[zeros.length];
        for (int i = 0; i < zeros.length; i++) {
            whole[i] = (byte) (int) zeros[i];
        }
        return whole;
    }
}
