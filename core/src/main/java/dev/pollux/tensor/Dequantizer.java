package dev.pollux.tensor;

import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.math.Float16;
import dev.pollux.internal.math.Float8;
import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.util.Map;

/**
 * Decodes stored numbers to floats, bit for bit as the reference readers do.
 *
 * <p>Layout of a GGUF block of 32: half-precision scale d; in the {@code _1} types, half-precision minimum m; in the Q5
 * types, 32 high bits; then the codes q. Two 4-bit codes share a byte: the low nibbles are elements 0…15, the high nibbles
 * 16…31. Values: Q4_0 = d·(q − 8); Q4_1 = d·q + m; Q5_0 = d·(q − 16); Q5_1 = d·q + m; Q8_0 = d·q with signed q. The other
 * block types are in {@link KQuants} and {@link CodebookQuants}.
 */
final class Dequantizer {

    @FunctionalInterface
    interface Decoder {
        /** Decodes all of {@code in}, which holds {@code count} elements, into {@code out} from {@code to} on. */
        void decode(ByteBuffer in, float[] out, int to, int count);
    }

    private static final int PIECE = 1 << 13;

    private static final Map<DType, Decoder> DECODERS = Map.ofEntries(
            Map.entry(DType.F32, (in, out, to, count) -> in.asFloatBuffer().get(out, to, count)),
            Map.entry(DType.F64, each((in, i) -> (float) in.getDouble(8 * i))),
            Map.entry(DType.F16, each((in, i) -> Float16.toFloat(in.getShort(2 * i)))),
            Map.entry(DType.BF16, Dequantizer::bfloat16),
            Map.entry(DType.I64, each((in, i) -> in.getLong(8 * i))),
            Map.entry(DType.I32, each((in, i) -> in.getInt(4 * i))),
            Map.entry(DType.I16, each((in, i) -> in.getShort(2 * i))),
            Map.entry(DType.I8, each((in, i) -> in.get(i))),
            Map.entry(DType.U32, each((in, i) -> in.getInt(4 * i) & 0xffffffffL)),
            Map.entry(DType.U16, each((in, i) -> in.getShort(2 * i) & 0xffff)),
            Map.entry(DType.U8, each((in, i) -> in.get(i) & 0xff)),
            Map.entry(DType.BOOL, each((in, i) -> in.get(i))),
            Map.entry(DType.F8_E4M3, each((in, i) -> Float8.e4m3(in.get(i)))),
            Map.entry(DType.F8_E5M2, each((in, i) -> Float8.e5m2(in.get(i)))),
            Map.entry(DType.F8_E8M0, each((in, i) -> Float8.e8m0(in.get(i)))),
            blocks(DType.PACKED_INT4, PackedFormats::int4),
            blocks(DType.PACKED_INT8, PackedFormats::int8),
            blocks(DType.PACKED_INT16, PackedFormats::int16),
            blocks(DType.PACKED_NF4, PackedFormats::nf4),
            blocks(DType.PACKED_FP4, PackedFormats::fp4),
            blocks(DType.PACKED_FP8, PackedFormats::fp8),
            blocks(DType.Q4_0, Dequantizer::q4_0),
            blocks(DType.Q4_1, Dequantizer::q4_1),
            blocks(DType.Q5_0, Dequantizer::q5_0),
            blocks(DType.Q5_1, Dequantizer::q5_1),
            blocks(DType.Q8_0, Dequantizer::q8_0),
            blocks(DType.Q2_K, KQuants::q2k),
            blocks(DType.Q3_K, KQuants::q3k),
            blocks(DType.Q4_K, KQuants::q4k),
            blocks(DType.Q5_K, KQuants::q5k),
            blocks(DType.Q6_K, KQuants::q6k),
            blocks(DType.IQ4_NL, KQuants::iq4nl),
            blocks(DType.IQ4_XS, KQuants::iq4xs),
            blocks(DType.MXFP4, KQuants::mxfp4),
            blocks(DType.IQ1_S, CodebookQuants::iq1s),
            blocks(DType.IQ1_M, CodebookQuants::iq1m),
            blocks(DType.IQ2_XXS, CodebookQuants::iq2xxs),
            blocks(DType.IQ2_XS, CodebookQuants::iq2xs),
            blocks(DType.IQ2_S, CodebookQuants::iq2s),
            blocks(DType.IQ3_XXS, CodebookQuants::iq3xxs),
            blocks(DType.IQ3_S, CodebookQuants::iq3s),
            blocks(DType.NVFP4, CodebookQuants::nvfp4),
            blocks(DType.TQ1_0, KQuants::tq1),
            blocks(DType.TQ2_0, KQuants::tq2));

    private Dequantizer() {}

    /** Decodes all of {@code in}, which holds {@code count} elements, into {@code out} from {@code to} on. */
    static void decode(DType type, ByteBuffer in, float[] out, int to, int count) {
        requireReader(type).decode(in, out, to, count);
    }

    static boolean canRead(DType type) {
        return DECODERS.containsKey(type);
    }

    static Decoder requireReader(DType type) {
        Decoder decoder = DECODERS.get(type);
        if (decoder == null) {
            throw new UnsupportedModelException("Tensor type " + type + " cannot be read yet, only "
                    + DECODERS.keySet().stream().sorted().toList() + "; use a file in one of these");
        }
        return decoder;
    }

    @FunctionalInterface
    private interface Element {
        float at(ByteBuffer in, int index);
    }

    @FunctionalInterface
    private interface Block {
        /** Decodes the block at byte {@code at} to element {@code to} on. */
        void decode(ByteBuffer in, int at, float[] out, int to);
    }

    /** Copies pieces to an array, so that the compiler can vectorize the loop. */
    private static void bfloat16(ByteBuffer in, float[] out, int to, int count) {
        ShortBuffer from = in.asShortBuffer();
        short[] piece = new short[Math.min(count, PIECE)];
        for (int done = 0; done < count; done += piece.length) {
            int some = Math.min(piece.length, count - done);
            from.get(piece, 0, some);
            for (int i = 0; i < some; i++) {
                out[to + done + i] = Float.intBitsToFloat(piece[i] << 16);
            }
        }
    }

    private static Decoder each(Element element) {
        return (in, out, to, count) -> {
            for (int i = 0; i < count; i++) {
                out[to + i] = element.at(in, i);
            }
        };
    }

    private static Map.Entry<DType, Decoder> blocks(DType type, Block block) {
        int size = type.blockSize();
        int bytes = type.blockBytes();
        return Map.entry(type, (in, out, to, count) -> {
            for (int b = 0; b < count / size; b++) {
                block.decode(in, b * bytes, out, to + b * size);
            }
        });
    }

    private static void q4_0(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        for (int j = 0; j < 16; j++) {
            int pair = in.get(at + 2 + j);
            out[to + j] = ((pair & 15) - 8) * d;
            out[to + j + 16] = ((pair >> 4 & 15) - 8) * d;
        }
    }

    private static void q4_1(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        float m = half(in, at + 2);
        for (int j = 0; j < 16; j++) {
            int pair = in.get(at + 4 + j);
            out[to + j] = (pair & 15) * d + m;
            out[to + j + 16] = (pair >> 4 & 15) * d + m;
        }
    }

    private static void q5_0(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        int high = in.getInt(at + 2);
        for (int j = 0; j < 16; j++) {
            int pair = in.get(at + 6 + j);
            out[to + j] = ((pair & 15 | (high >>> j & 1) << 4) - 16) * d;
            out[to + j + 16] = ((pair >> 4 & 15 | (high >>> j + 16 & 1) << 4) - 16) * d;
        }
    }

    private static void q5_1(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        float m = half(in, at + 2);
        int high = in.getInt(at + 4);
        for (int j = 0; j < 16; j++) {
            int pair = in.get(at + 8 + j);
            out[to + j] = (pair & 15 | (high >>> j & 1) << 4) * d + m;
            out[to + j + 16] = (pair >> 4 & 15 | (high >>> j + 16 & 1) << 4) * d + m;
        }
    }

    private static void q8_0(ByteBuffer in, int at, float[] out, int to) {
        float d = half(in, at);
        for (int j = 0; j < 32; j++) {
            out[to + j] = in.get(at + 2 + j) * d;
        }
    }

    private static float half(ByteBuffer in, int at) {
        return Float16.toFloat(in.getShort(at));
    }
}
