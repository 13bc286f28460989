package dev.pollux.inference.quantize;

/**
 * Packs unsigned codes of 2, 4 or 8 bits into bytes, the first code in the low bits:
 *
 * <pre>
 * 8 bits   byte i = code[i]
 * 4 bits   byte i = code[2i] | code[2i + 1] &lt;&lt; 4
 * 2 bits   byte i = code[4i] | code[4i + 1] &lt;&lt; 2 | code[4i + 2] &lt;&lt; 4 | code[4i + 3] &lt;&lt; 6
 * </pre>
 *
 * The operators differ in the axis that is packed and in where a new byte begins:
 *
 * <pre>
 * MatMulNBits            codes (N, blocks, blockSize): a new byte each block     zero points (N, blocks): each row
 * GatherBlockQuantized   codes (V, D): each row                                  zero points (V, blocks): each row
 * DequantizeLinear       codes (K, N): none                                      zero points (blocks, N): none
 * QMoE, blocks           codes (E, N, K): each row                               zero points (E, N, blocks): each row
 * QMoE, a scale a row    codes (E, N, K): each row                               zero points (E, N): each expert
 * </pre>
 */
final class PackedCodes {

    private PackedCodes() {}

    /** The bytes of {@code count} codes that begin at a new byte. */
    static int bytes(int count, int bits) {
        return Math.toIntExact(((long) count * bits + 7) / 8);
    }

    /**
     * Packs rows of codes; each row begins at a new byte.
     *
     * @param codes (rows, width)
     */
    static byte[] rows(byte[] codes, int width, int bits) {
        int rows = width == 0 ? 0 : codes.length / width;
        int rowBytes = bytes(width, bits);
        byte[] packed = new byte[Math.multiplyExact(rows, rowBytes)];
        for (int row = 0; row < rows; row++) {
            pack(codes, row * width, width, bits, packed, row * rowBytes);
        }
        return packed;
    }

    /** Packs {@code count} codes from {@code from} on into bytes from {@code at} on, which must be 0. */
    static void pack(byte[] codes, int from, int count, int bits, byte[] into, int at) {
        if (bits == 8) {
            System.arraycopy(codes, from, into, at, count);
            return;
        }
        if (bits == 4) {
            int pairs = count / 2;
            for (int i = 0; i < pairs; i++) {
                into[at + i] = (byte) (codes[from + 2 * i] | codes[from + 2 * i + 1] << 4);
            }
            if (count % 2 == 1) {
                into[at + pairs] = codes[from + count - 1];
            }
            return;
        }
        for (int i = 0; i < count; i++) {
            put(into, at * 4L + i, bits, codes[from + i]);
        }
    }

    /** Adds a code at an index that counts codes from the start of {@code into}; the bits there must be 0. */
    static void put(byte[] into, long index, int bits, byte code) {
        int perByte = 8 / bits;
        int shift = (int) (index % perByte) * bits;
        into[Math.toIntExact(index / perByte)] |= (byte) ((code & 0xff) << shift);
    }

    /** The code at an index that counts codes from byte {@code at} on. */
    static int get(byte[] packed, int at, int index, int bits) {
        int perByte = 8 / bits;
        return (packed[at + index / perByte] & 0xff) >> index % perByte * bits & (1 << bits) - 1;
    }
}
