package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import dev.pollux.internal.math.Float8;
import java.nio.ByteBuffer;

/**
 * GGUF's formats below 4 bits, whose codes each select several elements from a {@link Codebook}, and NVFP4.
 *
 * <p>Each method documents the byte ranges [from, to) of the fields in a block of 256 elements; e is the index of an element
 * in its block. Separate signs are stored for eight elements in one of two ways: all 8 bits, or 7 bits with bit 7 = parity
 * of bits 0…6, which makes the number of negative signs even. Products are rounded to float in the order of the reference.
 * Source: {@code ggml-common.h} for the layouts.
 */
final class CodebookQuants {

    private static final float DELTA = 0.125f;
    private static final byte[] FP4_DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    private CodebookQuants() {}

    /** [0, 2) d; [2, 66) per 32 elements: 4 one-byte codes, then a 32-bit word of 4 × 7 signs and a 4-bit scale. */
    static void iq2xxs(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ2_XXS);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            int group = at + 2 + e / 32 * 8;
            int word = in.getInt(group + 4);
            float scale = d * (0.5f + (word >>> 28)) * 0.25f;
            int code = in.get(group + e % 32 / 8) & 0xff;
            out[to + e] = scale * grid[code * 8 + e % 8] * sign(evenSigns(word >>> e % 32 / 8 * 7), e % 8);
        }
    }

    /** [0, 2) d; [2, 66) 9-bit codes, each with 7 signs; [66, 74) scales per 16 elements. */
    static void iq2xs(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ2_XS);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            float scale = d * (0.5f + nibble(in, at + 66, e / 16)) * 0.25f;
            int word = in.getShort(at + 2 + e / 8 * 2) & 0xffff;
            out[to + e] = scale * grid[(word & 511) * 8 + e % 8] * sign(evenSigns(word >>> 9), e % 8);
        }
    }

    /** [0, 2) d; [2, 34) low 8 bits of the codes; [34, 66) signs; [66, 74) high 2 bits; [74, 82) scales per 16 elements. */
    static void iq2s(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ2_S);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            float scale = d * (0.5f + nibble(in, at + 74, e / 16)) * 0.25f;
            int high = in.get(at + 66 + e / 32) >> e % 32 / 8 * 2 & 3;
            int code = in.get(at + 2 + e / 8) & 0xff | high << 8;
            out[to + e] = scale * grid[code * 8 + e % 8] * sign(in.get(at + 34 + e / 8), e % 8);
        }
    }

    /** [0, 2) d; [2, 66) codes of 4 elements; [66, 98) per 32 elements: a word of 4 × 7 signs and a 4-bit scale. */
    static void iq3xxs(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ3_XXS);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            int word = in.getInt(at + 66 + e / 32 * 4);
            float scale = d * (0.5f + (word >>> 28)) * 0.5f;
            int code = in.get(at + 2 + e / 4) & 0xff;
            out[to + e] = scale * grid[code * 4 + e % 4] * sign(evenSigns(word >>> e % 32 / 8 * 7), e % 8);
        }
    }

    /**
     * [0, 2) d; [2, 66) low 8 bits of the codes of 4 elements; [66, 74) ninth bits; [74, 106) signs; [106, 110) scales per
     * 32 elements.
     */
    static void iq3s(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ3_S);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            float scale = d * (1 + 2 * nibble(in, at + 106, e / 32));
            int high = in.get(at + 66 + e / 32) >> e % 32 / 4 & 1;
            int code = in.get(at + 2 + e / 4) & 0xff | high << 8;
            out[to + e] = scale * grid[code * 4 + e % 4] * sign(in.get(at + 74 + e / 8), e % 8);
        }
    }

    /**
     * [0, 2) d; [2, 34) low 8 bits of the codes; [34, 50) per 32 elements: 4 × 3 high bits, a 3-bit scale, the sign of the
     * shift.
     */
    static void iq1s(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ1_S);
        float d = half(in, at);
        for (int e = 0; e < 256; e++) {
            int word = in.getShort(at + 34 + e / 32 * 2) & 0xffff;
            float scale = d * (2 * (word >> 12 & 7) + 1);
            float delta = word >> 15 == 0 ? DELTA : -DELTA;
            int code = in.get(at + 2 + e / 8) & 0xff | (word >> e % 32 / 8 * 3 & 7) << 8;
            out[to + e] = scale * (grid[code * 8 + e % 8] + delta);
        }
    }

    /**
     * [0, 32) low 8 bits of the codes; [32, 48) per code: 3 high bits and the sign of the shift; [48, 56) four 16-bit words
     * of 3-bit scales per 16 elements; the four highest bits of the four words form d.
     */
    static void iq1m(ByteBuffer in, int at, float[] out, int to) {
        byte[] grid = Codebook.of(DType.IQ1_S);
        int bits = 0;
        for (int word = 0; word < 4; word++) {
            bits |= (in.getShort(at + 48 + word * 2) >> 12 & 15) << word * 4;
        }
        float d = Float16.toFloat((short) bits);
        for (int e = 0; e < 256; e++) {
            int word = in.getShort(at + 48 + e / 64 * 2);
            float scale = d * (2 * (word >> e % 64 / 16 * 3 & 7) + 1);
            int high = nibble(in, at + 32, e / 8);
            int code = in.get(at + e / 8) & 0xff | (high & 7) << 8;
            out[to + e] = scale * (grid[code * 8 + e % 8] + ((high & 8) == 0 ? DELTA : -DELTA));
        }
    }

    /** A block of 64 elements: [0, 4) four scales, unsigned 8-bit floats; [4, 36) 4-bit floats. */
    static void nvfp4(ByteBuffer in, int at, float[] out, int to) {
        for (int e = 0; e < 64; e++) {
            byte bits = in.get(at + e / 16);
            // Half of the scale, since the table contains doubled values.
            float d = (bits & 0x7f) == 0x7f ? 0 : Float8.e4m3((byte) (bits & 0x7f)) * 0.5f;
            int code = in.get(at + 4 + e / 16 * 8 + e % 8) >> e % 16 / 8 * 4 & 15;
            out[to + e] = d * FP4_DOUBLED[code];
        }
    }

    /** Seven stored signs and the eighth, their parity. */
    private static int evenSigns(int seven) {
        int signs = seven & 127;
        return signs | (Integer.bitCount(signs) & 1) << 7;
    }

    private static int sign(int signs, int element) {
        return (signs >> element & 1) == 0 ? 1 : -1;
    }

    private static int nibble(ByteBuffer in, int at, int index) {
        return in.get(at + index / 2) >> index % 2 * 4 & 15;
    }

    private static float half(ByteBuffer in, int at) {
        return Float16.toFloat(in.getShort(at));
    }
}
