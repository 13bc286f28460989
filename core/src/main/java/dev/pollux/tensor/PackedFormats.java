package dev.pollux.tensor;

import dev.pollux.internal.math.Float8;
import java.nio.ByteBuffer;

/**
 * Blocks of 32 elements that present packed weights of publishers. Layout: [0, 4) scale d, a 32-bit float; then the codes.
 * Two 4-bit codes share a byte: low nibbles are elements 0…15, high nibbles 16…31.
 */
final class PackedFormats {

    /** Quantiles of a normal distribution, scaled to [−1, 1]: table of QLoRA (arXiv:2305.14314), appendix E. */
    private static final float[] NF4 = {
        -1.0f,
        -0.6961928f,
        -0.52507305f,
        -0.3949175f,
        -0.28444138f,
        -0.18477343f,
        -0.091050036f,
        0.0f,
        0.0795803f,
        0.1609302f,
        0.2461123f,
        0.33791524f,
        0.44070983f,
        0.562617f,
        0.72295684f,
        1.0f
    };

    /** Twelfths: 0, 1/16, 8, 12, 4, 6, 2, 3, and the same below 0. */
    private static final float[] FP4 = {
        0f,
        0.0052083335f,
        0.6666667f,
        1f,
        0.33333334f,
        0.5f,
        0.16666667f,
        0.25f,
        0f,
        -0.0052083335f,
        -0.6666667f,
        -1f,
        -0.33333334f,
        -0.5f,
        -0.16666667f,
        -0.25f
    };

    private PackedFormats() {}

    static void int4(ByteBuffer in, int at, float[] out, int to) {
        float d = in.getFloat(at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = (nibble(in, at, e) - 8) * d;
        }
    }

    static void int8(ByteBuffer in, int at, float[] out, int to) {
        float d = in.getFloat(at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = in.get(at + 4 + e) * d;
        }
    }

    static void int16(ByteBuffer in, int at, float[] out, int to) {
        float d = in.getFloat(at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = in.getShort(at + 4 + 2 * e) * d;
        }
    }

    static void nf4(ByteBuffer in, int at, float[] out, int to) {
        table(NF4, in, at, out, to);
    }

    static void fp4(ByteBuffer in, int at, float[] out, int to) {
        table(FP4, in, at, out, to);
    }

    static void fp8(ByteBuffer in, int at, float[] out, int to) {
        float d = in.getFloat(at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = Float8.e4m3(in.get(at + 4 + e)) * d;
        }
    }

    private static void table(float[] values, ByteBuffer in, int at, float[] out, int to) {
        float d = in.getFloat(at);
        for (int e = 0; e < 32; e++) {
            out[to + e] = values[nibble(in, at, e)] * d;
        }
    }

    private static int nibble(ByteBuffer in, int at, int e) {
        return in.get(at + 4 + e % 16) >> e / 16 * 4 & 15;
    }
}
