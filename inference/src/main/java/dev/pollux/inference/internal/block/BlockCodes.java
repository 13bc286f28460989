package dev.pollux.inference.internal.block;

import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/**
 * Block types whose elements are an integer times a scale shared by 16 or 32 elements. MatMulNBits can represent them
 * exactly. Layouts are those of llama.cpp.
 */
public final class BlockCodes {

    private static final Set<DType> FOUR_BITS =
            Set.of(DType.Q4_0, DType.PACKED_INT4, DType.Q3_K, DType.TQ1_0, DType.TQ2_0);
    private static final Set<DType> EIGHT_BITS =
            Set.of(DType.Q8_0, DType.PACKED_INT8, DType.MXFP4, DType.IQ4_NL, DType.IQ4_XS, DType.Q5_0, DType.Q6_K);
    private static final Set<DType> MINIMA = Set.of(DType.Q4_1, DType.Q4_K);
    private static final Set<DType> SIXTEENS = Set.of(DType.Q3_K, DType.Q6_K);

    private static final byte[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    private static final byte[] FP4_DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    private static final int[] POWERS_OF_3 = {1, 3, 9, 27, 81};

    private BlockCodes() {}

    /** Whether the codes of all {@code types} fit into {@code bits}. */
    public static boolean fit(List<DType> types, int bits) {
        return types.stream().allMatch(type -> FOUR_BITS.contains(type) || bits == 8 && EIGHT_BITS.contains(type));
    }

    /**
     * Whether all {@code types} have codes of 4 bits in blocks of 32, and some of them a real-valued minimum for each block.
     */
    public static boolean fitWithMinima(List<DType> types) {
        return types.stream().anyMatch(MINIMA::contains)
                && types.stream().allMatch(type -> MINIMA.contains(type) || FOUR_BITS.contains(type))
                && blockSize(types) == 32;
    }

    /** The number of elements that share a scale in all {@code types}. */
    public static int blockSize(List<DType> types) {
        return types.stream().anyMatch(SIXTEENS::contains) ? 16 : 32;
    }

    /**
     * The scale of an element.
     *
     * @param at the offset of its block
     * @param k its index in the block
     */
    static float scale(ByteBuffer rows, int at, DType type, int k) {
        return switch (type) {
            case PACKED_INT4, PACKED_INT8 -> rows.getFloat(at);
            case MXFP4 -> (float) Math.scalb(1.0, (rows.get(at) & 0xff) - 128); // the codes are doubled
            case IQ4_XS -> {
                int part = k / 32;
                int low = rows.get(at + 4 + part / 2) >> part % 2 * 4 & 15;
                int high = rows.getShort(at + 2) >> part * 2 & 3;
                yield half(rows, at) * ((low | high << 4) - 32);
            }
            case Q6_K -> half(rows, at + 208) * rows.get(at + 192 + k / 16);
            case Q3_K -> {
                int part = k / 16;
                int low = rows.get(at + 96 + part % 8) >> part / 8 * 4 & 15;
                int high = rows.get(at + 104 + part % 4) >> part / 4 * 2 & 3;
                yield half(rows, at + 108) * ((low | high << 4) - 32);
            }
            case TQ1_0 -> half(rows, at + 52);
            case TQ2_0 -> half(rows, at + 64);
            case Q4_K -> half(rows, at) * sixBits(rows, at + 4, k / 32, 0);
            default -> half(rows, at);
        };
    }

    /** The value of an element of this block whose code is 0; its arguments are those of {@link #scale}. */
    static float middle(ByteBuffer rows, int at, DType type, int k) {
        return switch (type) {
            case Q4_1 -> half(rows, at + 2) + 8 * half(rows, at);
            case Q4_K -> 8 * scale(rows, at, type, k) - half(rows, at + 2) * sixBits(rows, at + 4, k / 32, 4);
            default -> 0;
        };
    }

    /**
     * A scale or a minimum of Q4_K. The values 0 to 3 of each are the low bits of bytes 0 to 3 (scales) and 4 to 7
     * (minima). The values 4 to 7 have their low bits in the nibbles of bytes 8 to 11, and their high bits in the high bits of
     * bytes 0 to 7.
     *
     * @param from 0 for a scale, 4 for a minimum
     */
    private static int sixBits(ByteBuffer rows, int at, int group, int from) {
        return group < 4
                ? rows.get(at + group + from) & 63
                : rows.get(at + group + 4) >> from & 15 | (rows.get(at + group - 4 + from) & 0xc0) >> 2;
    }

    private static float half(ByteBuffer rows, int at) {
        return Float16.toFloat(rows.getShort(at));
    }

    /** The signed code of element {@code k} of the block at {@code at}; with a minimum, the code less 8. */
    static int code(ByteBuffer rows, int at, DType type, int k) {
        return switch (type) {
            case Q8_0 -> rows.get(at + 2 + k);
            case PACKED_INT8 -> rows.get(at + 4 + k);
            case PACKED_INT4 -> nibble(rows, at + 4, k) - 8;
            case MXFP4 -> FP4_DOUBLED[nibble(rows, at + 1, k)];
            case IQ4_NL -> IQ4_VALUES[nibble(rows, at + 2, k)];
            case IQ4_XS -> IQ4_VALUES[nibble(rows, at + 8 + k / 32 * 16, k % 32)];
            case Q5_0 -> (nibble(rows, at + 6, k) | (rows.getInt(at + 2) >>> k & 1) << 4) - 16;
            case Q6_K -> {
                int low = rows.get(at + k / 128 * 64 + k % 64) >> k % 128 / 64 * 4 & 15;
                int high = rows.get(at + 128 + k / 128 * 32 + k % 32) >> k % 128 / 32 * 2 & 3;
                yield (low | high << 4) - 32;
            }
            case Q3_K -> {
                int low = rows.get(at + 32 + k / 128 * 32 + k % 32) >> k % 128 / 32 * 2 & 3;
                int high = rows.get(at + k % 32) >> k / 32 & 1;
                yield low - 4 * (1 - high);
            }
            case Q4_1 -> nibble(rows, at + 4, k) - 8;
            case Q4_K -> (rows.get(at + 16 + k / 64 * 32 + k % 32) >> k / 32 % 2 * 4 & 15) - 8;
            case TQ1_0 -> trit(rows, at, k);
            case TQ2_0 -> (rows.get(at + k / 128 * 32 + k % 32) >> k % 128 / 32 * 2 & 3) - 1;
            default -> nibble(rows, at + 2, k) - 8;
        };
    }

    private static int nibble(ByteBuffer rows, int at, int k) {
        return rows.get(at + k % 16) >> k / 16 * 4 & 15;
    }

    /**
     * A base-3 digit. A byte has five digits, most significant first, in runs of 32 and 16 bytes; the last 4 bytes have
     * four each.
     */
    private static int trit(ByteBuffer rows, int at, int k) {
        int from;
        int digit;
        if (k < 160) {
            from = k % 32;
            digit = k / 32;
        } else if (k < 240) {
            from = 32 + (k - 160) % 16;
            digit = (k - 160) / 16;
        } else {
            from = 48 + (k - 240) % 4;
            digit = (k - 240) / 4;
        }
        int rest = (rows.get(at + from) & 0xff) * POWERS_OF_3[digit] & 0xff;
        return (rest * 3 >> 8) - 1;
    }
}
