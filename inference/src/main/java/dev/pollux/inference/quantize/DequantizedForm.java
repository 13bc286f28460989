package dev.pollux.inference.quantize;

/**
 * A matrix as {@code DequantizeLinear} reads it, (K, N), with the codes of all rows packed without a gap. Symmetric codes are signed:
 * the unsigned code minus 2^(bits − 1), in two's complement. <em>Not thread-safe: one thread at a time.</em>
 */
final class DequantizedForm {

    private final int n;
    private final BlockFormat format;
    private final boolean symmetric;
    private final byte[] codes; // (K, N)
    private final float[] scales; // (blocks, N)
    private final byte[] zeros; // (blocks, N)

    DequantizedForm(int k, int n, BlockFormat format, boolean symmetric) {
        this.n = n;
        this.format = format;
        this.symmetric = symmetric;
        int blocks = format.blocks(k);
        this.codes = new byte[Math.toIntExact(((long) k * n * format.bits() + 7) / 8)];
        this.scales = new float[Math.multiplyExact(blocks, n)];
        this.zeros = new byte[symmetric ? 0 : PackedCodes.bytes(scales.length, format.bits())];
    }

    /** Adds rows of the transposed matrix, (N, K), from row {@code first} on. */
    void put(int first, CodedRows rows) {
        int mask = format.maxCode();
        for (int row = 0; row < rows.rows; row++) {
            int at = row * rows.blocks * rows.blockSize;
            for (int k = 0; k < rows.columns; k++) {
                int code = rows.codes[at + k] & 0xff;
                int stored = symmetric ? code - format.middle() & mask : code;
                PackedCodes.put(codes, (long) k * n + first + row, format.bits(), (byte) stored);
            }
            for (int block = 0; block < rows.blocks; block++) {
                scales[block * n + first + row] = rows.scales[row * rows.blocks + block];
                if (!symmetric) {
                    byte zero = (byte) (int) rows.zeros[row * rows.blocks + block];
                    PackedCodes.put(zeros, (long) block * n + first + row, format.bits(), zero);
                }
            }
        }
    }

    /** (K, N), packed; not a copy. */
    byte[] codes() {
        return codes;
    }

    /** (blocks, N); not a copy. */
    float[] scales() {
        return scales;
    }

    /** (blocks, N), packed; empty for symmetric codes; not a copy. */
    byte[] zeros() {
        return zeros;
    }
}
