package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/**
 * Encodes floats in the types of GGUF, the inverse of {@link Dequantizer}.
 *
 * <p>Plain types round to nearest, ties to even. Block types give the bytes of ggml's reference quantizers. <em>Thread-safe.</em>
 */
public final class BlockEncoder {

    /*
     * x are the 32 elements of a block, m the one of largest magnitude (the first of several), [a, b] their range. The scale d
     * is rounded to half precision for storage only: codes are computed with the unrounded one, in 32-bit floats.
     *
     *   Q8_0   d = |m| / 127            q = round(x / d), half away from zero
     *   Q4_0   d = m / −8               q = ⌊x / d + 8.5⌋, at most 15
     *   Q5_0   d = m / −16              q = ⌊x / d + 16.5⌋, at most 31
     *   Q4_1   d = (b − a) / 15         q = ⌊(x − a) / d + 0.5⌋, at most 15; a is stored too
     *   Q5_1   d = (b − a) / 31         q = ⌊(x − a) / d + 0.5⌋, at most 31; a is stored too
     *
     * Division by d is a product with 1 / d, which is 0 for d = 0. The scale of Q4_0 and Q5_0 has the sign that puts m on the
     * lowest code, since the range of codes has one more below 0 than above. Source: quantize_row_q*_ref in ggml-quants.c. The
     * types with two levels of scales are in KQuantEncoder.
     */

    @FunctionalInterface
    interface Block {
        /** Encodes the block of elements from {@code from} on and writes it at byte {@code at}. */
        void encode(float[] x, int from, ByteBuffer out, int at);
    }

    private static final Map<DType, Block> ENCODERS = new EnumMap<>(Map.of(
            DType.F32, (x, from, out, at) -> out.putFloat(at, x[from]),
            DType.F16, (x, from, out, at) -> out.putShort(at, Float16.fromFloat(x[from])),
            DType.BF16, (x, from, out, at) -> out.putShort(at, Float16.toBfloat16(x[from])),
            DType.Q8_0, BlockEncoder::q8_0,
            DType.Q4_0, BlockEncoder::q4_0,
            DType.Q4_1, BlockEncoder::q4_1,
            DType.Q5_0, BlockEncoder::q5_0,
            DType.Q5_1, BlockEncoder::q5_1));

    static {
        ENCODERS.put(DType.Q4_K, KQuantEncoder::q4k);
        ENCODERS.put(DType.Q5_K, KQuantEncoder::q5k);
        ENCODERS.put(DType.Q6_K, KQuantEncoder::q6k);
    }

    private BlockEncoder() {}

    /** The types that can be encoded. */
    public static Set<DType> types() {
        return Set.copyOf(ENCODERS.keySet());
    }

    /**
     * Encodes elements.
     *
     * @param values finite numbers, at most 65504 in magnitude where the type has half-precision scales
     * @param from index of the first; {@code count} is a multiple of the type's block size
     * @param out little-endian; the bytes are put at its position
     * @throws IllegalArgumentException if the type cannot be encoded or {@code count} is no multiple of its block
     */
    public static void encode(DType type, float[] values, int from, int count, ByteBuffer out) {
        Block encoder = ENCODERS.get(type);
        if (encoder == null || count % type.blockSize() != 0) {
            throw new IllegalArgumentException("type must be one of " + ENCODERS.keySet()
                    + " and count a multiple of its block but were " + type + " and " + count);
        }
        int size = type.blockSize();
        int bytes = type.blockBytes();
        int at = out.position();
        out.position(at + count / size * bytes);
        for (int block = 0; block < count / size; block++) {
            encoder.encode(values, from + block * size, out, at + block * bytes);
        }
    }

    private static void q8_0(float[] x, int from, ByteBuffer out, int at) {
        float d = Math.abs(largest(x, from)) / 127;
        float inverse = inverse(d);
        half(out, at, d);
        for (int e = 0; e < 32; e++) {
            float scaled = x[from + e] * inverse;
            float magnitude = Math.abs(scaled);
            float whole = (float) Math.floor(magnitude);
            float rounded = whole + (float) Math.floor(2 * (magnitude - whole));
            out.put(at + 2 + e, (byte) Math.copySign(rounded, scaled));
        }
    }

    private static void q4_0(float[] x, int from, ByteBuffer out, int at) {
        float d = largest(x, from) / -8;
        float inverse = inverse(d);
        half(out, at, d);
        for (int e = 0; e < 16; e++) {
            int low = Math.min(15, (int) (x[from + e] * inverse + 8.5f));
            int high = Math.min(15, (int) (x[from + 16 + e] * inverse + 8.5f));
            out.put(at + 2 + e, (byte) (low | high << 4));
        }
    }

    private static void q4_1(float[] x, int from, ByteBuffer out, int at) {
        float least = least(x, from);
        float d = (most(x, from) - least) / 15;
        float inverse = inverse(d);
        half(out, at, d);
        half(out, at + 2, least);
        for (int e = 0; e < 16; e++) {
            int low = Math.min(15, (int) ((x[from + e] - least) * inverse + 0.5f));
            int high = Math.min(15, (int) ((x[from + 16 + e] - least) * inverse + 0.5f));
            out.put(at + 4 + e, (byte) (low | high << 4));
        }
    }

    private static void q5_0(float[] x, int from, ByteBuffer out, int at) {
        float d = largest(x, from) / -16;
        float inverse = inverse(d);
        half(out, at, d);
        int fifths = 0;
        for (int e = 0; e < 16; e++) {
            int low = Math.min(31, (int) (x[from + e] * inverse + 16.5f));
            int high = Math.min(31, (int) (x[from + 16 + e] * inverse + 16.5f));
            out.put(at + 6 + e, (byte) (low & 15 | high << 4));
            fifths |= low >> 4 << e | high >> 4 << e + 16;
        }
        out.putInt(at + 2, fifths);
    }

    private static void q5_1(float[] x, int from, ByteBuffer out, int at) {
        float least = least(x, from);
        float d = (most(x, from) - least) / 31;
        float inverse = inverse(d);
        half(out, at, d);
        half(out, at + 2, least);
        int fifths = 0;
        for (int e = 0; e < 16; e++) {
            int low = Math.min(31, (int) ((x[from + e] - least) * inverse + 0.5f));
            int high = Math.min(31, (int) ((x[from + 16 + e] - least) * inverse + 0.5f));
            out.put(at + 8 + e, (byte) (low & 15 | high << 4));
            fifths |= low >> 4 << e | high >> 4 << e + 16;
        }
        out.putInt(at + 4, fifths);
    }

    private static float largest(float[] x, int from) {
        float largest = x[from];
        for (int e = 1; e < 32; e++) {
            largest = Math.abs(x[from + e]) > Math.abs(largest) ? x[from + e] : largest;
        }
        return largest;
    }

    private static float least(float[] x, int from) {
        float least = x[from];
        for (int e = 1; e < 32; e++) {
            least = x[from + e] < least ? x[from + e] : least;
        }
        return least;
    }

    private static float most(float[] x, int from) {
        float most = x[from];
        for (int e = 1; e < 32; e++) {
            most = x[from + e] > most ? x[from + e] : most;
        }
        return most;
    }

    private static float inverse(float d) {
        return d == 0 ? 0 : 1 / d;
    }

    private static void half(ByteBuffer out, int at, float value) {
        out.putShort(at, Float16.fromFloat(value));
    }
}
