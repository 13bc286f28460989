package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;

/**
 * GGUF's block formats with two levels of scales, with value tables, and with ternary values.
 *
 * <p>A block of 256 elements has groups of 32 or 16. Each group has a small integer scale, multiplied by the block's
 * half-precision d; Q2_K, Q4_K and Q5_K also have a minimum per group, multiplied by dmin. Each method documents the byte
 * ranges [from, to) of the fields in a block; e is the index of an element in its block. Products are rounded to float in
 * the order of the reference, so that the values are equal bit for bit. Sources: {@code ggml-common.h} for the layouts; OCP
 * Microscaling 1.0 for MXFP4.
 */
final class KQuants {

    private static final byte[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    private static final byte[] FP4_DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    private static final int[] POWERS_OF_3 = {1, 3, 9, 27, 81};

    private KQuants() {}

    /** [0, 16) scales, a nibble each for scale and minimum; [16, 80) 2-bit codes; [80, 82) d; [82, 84) dmin. */
    static void q2k(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at + 80);
        float dmin = half(in, at + 82);
        for (int e = 0; e < 256; e++) {
            int scale = in.get(at + e / 16);
            float low = dmin * (scale >> 4 & 15);
            out[to + e] = d * (scale & 15) * twoBits(in, at + 16, e) - low;
        }
    }

    /** [0, 32) high bits of the codes; [32, 96) low 2 bits; [96, 108) scales; [108, 110) d. */
    static void q3k(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at + 108);
        for (int e = 0; e < 256; e++) {
            int group = e / 16;
            int low = in.get(at + 96 + group % 8) >> group / 8 * 4 & 15;
            int high = in.get(at + 104 + group % 4) >> group / 4 * 2 & 3;
            int missing = (in.get(at + e % 32) >> e / 32 & 1) == 0 ? 4 : 0;
            out[to + e] = d * ((low | high << 4) - 32) * (twoBits(in, at + 32, e) - missing);
        }
    }

    /** [0, 2) d; [2, 4) dmin; [4, 16) scales and minima; [16, 144) 4-bit codes. */
    static void q4k(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        float dmin = half(in, at + 2);
        for (int e = 0; e < 256; e++) {
            int code = in.get(at + 16 + e / 64 * 32 + e % 32) >> e / 32 % 2 * 4 & 15;
            float low = dmin * minimum(in, at + 4, e / 32);
            out[to + e] = d * scale(in, at + 4, e / 32) * code - low;
        }
    }

    /** [0, 2) d; [2, 4) dmin; [4, 16) scales and minima; [16, 48) fifth bits; [48, 176) low 4 bits. */
    static void q5k(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        float dmin = half(in, at + 2);
        for (int e = 0; e < 256; e++) {
            int code = in.get(at + 48 + e / 64 * 32 + e % 32) >> e / 32 % 2 * 4 & 15
                    | (in.get(at + 16 + e % 32) >> e / 32 & 1) << 4;
            float low = dmin * minimum(in, at + 4, e / 32);
            out[to + e] = d * scale(in, at + 4, e / 32) * code - low;
        }
    }

    /** [0, 128) low 4 bits; [128, 192) high 2 bits; [192, 208) signed scales; [208, 210) d. */
    static void q6k(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at + 208);
        for (int e = 0; e < 256; e++) {
            int low = in.get(at + e / 128 * 64 + e % 64) >> e % 128 / 64 * 4 & 15;
            int code = (low | twoBits(in, at + 128, e) << 4) - 32;
            out[to + e] = d * in.get(at + 192 + e / 16) * code;
        }
    }

    /** [0, 2) d; [2, 18) 4-bit indices into a table of 16 values. */
    static void iq4nl(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = d * IQ4_VALUES[in.get(at + 2 + e % 16) >> e / 16 * 4 & 15];
        }
    }

    /** [0, 2) d; [2, 4) high bits of the scales; [4, 8) low bits; [8, 136) 4-bit indices into a table of 16 values. */
    static void iq4xs(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        int high = in.getShort(at + 2);
        for (int e = 0; e < 256; e++) {
            int group = e / 32;
            int scale = (in.get(at + 4 + group / 2) >> group % 2 * 4 & 15 | (high >> group * 2 & 3) << 4) - 32;
            out[to + e] = d * scale * IQ4_VALUES[in.get(at + 8 + group * 16 + e % 16) >> e % 32 / 16 * 4 & 15];
        }
    }

    /** [0, 1) exponent of the scale, a power of two; [1, 17) 4-bit floats. */
    static void mxfp4(ByteBuffer in, int at, float[] out, int to) {
        int exponent = in.get(at) & 0xff;
        // Half of 2^(exponent − 127), since the table contains doubled values.
        float d = Float.intBitsToFloat(exponent < 2 ? 0x00200000 << exponent : exponent - 1 << 23);
        for (int e = 0; e < 32; e++) {
            out[to + e] = d * FP4_DOUBLED[in.get(at + 1 + e % 16) >> e / 16 * 4 & 15];
        }
    }

    /** [0, 48) five ternary digits per byte; [48, 52) four per byte; [52, 54) d. */
    static void tq1(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at + 52);
        for (int e = 0; e < 256; e++) {
            if (e < 160) {
                out[to + e] = d * ternary(in.get(at + e % 32), e / 32);
            } else if (e < 240) {
                out[to + e] = d * ternary(in.get(at + 32 + e % 16), (e - 160) / 16);
            } else {
                out[to + e] = d * ternary(in.get(at + 48 + e % 4), (e - 240) / 4);
            }
        }
    }

    /** [0, 64) 2-bit codes; [64, 66) d. */
    static void tq2(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at + 64);
        for (int e = 0; e < 256; e++) {
            out[to + e] = d * (twoBits(in, at, e) - 1);
        }
    }

    private static int ternary(int packed, int digit) {
        return ((packed * POWERS_OF_3[digit] & 0xff) * 3 >> 8) - 1;
    }

    /** The two bits of element {@code e}: 32 bytes encode 128 elements in four layers of 2 bits. */
    private static int twoBits(ByteBuffer in, int at, int e) {
        return in.get(at + e / 128 * 32 + e % 32) >> e % 128 / 32 * 2 & 3;
    }

    /**
     * Unpacks 6-bit values: scales 0…3 and minima 0…3 are the low bits of bytes 0…7; the others use bytes 8…11 and the high
     * bits.
     */
    private static int scale(ByteBuffer in, int at, int group) {
        return group < 4 ? in.get(at + group) & 63 : in.get(at + group + 4) & 15 | (in.get(at + group - 4) & 0xc0) >> 2;
    }

    private static int minimum(ByteBuffer in, int at, int group) {
        return group < 4
                ? in.get(at + group + 4) & 63
                : in.get(at + group + 4) >> 4 & 15 | (in.get(at + group) & 0xc0) >> 2;
    }

    private static float half(ByteBuffer in, int at) {
        return Float16.toFloat(in.getShort(at));
    }
}
