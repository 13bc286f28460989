package dev.pollux.tensor;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Blocks packed as the quantizer of llama.cpp packs them (loops over the bytes, as in ggml-quants.c). No product of a scale
 * and a code needs more than 24 bits, so the formulas below are exact.
 */
class KQuantsTest {

    private static final int[] IQ4 = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    private static final double[] FP4 = {0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6};

    @TestFactory
    Stream<DynamicTest> aBlockHasTheValuesOfItsFormula() {
        return Stream.of(
                        new BlockFormat(DType.Q2_K, KQuantsTest::q2k),
                        new BlockFormat(DType.Q3_K, KQuantsTest::q3k),
                        new BlockFormat(DType.Q4_K, (block, values) -> q45k(block, values, false)),
                        new BlockFormat(DType.Q5_K, (block, values) -> q45k(block, values, true)),
                        new BlockFormat(DType.Q6_K, KQuantsTest::q6k),
                        new BlockFormat(DType.IQ4_NL, KQuantsTest::iq4nl),
                        new BlockFormat(DType.IQ4_XS, KQuantsTest::iq4xs),
                        new BlockFormat(DType.MXFP4, KQuantsTest::mxfp4),
                        new BlockFormat(DType.TQ1_0, KQuantsTest::tq1),
                        new BlockFormat(DType.TQ2_0, KQuantsTest::tq2))
                .map(BlockFormat::test);
    }

    /** value = d·scale·code − dmin·minimum; 16 groups of 16. */
    private static void q2k(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        double dmin = block.drawHalf();
        block.half(80, d);
        block.half(82, dmin);
        for (int group = 0, e = 0; group < 16; group++) {
            int scale = block.draw(4);
            int minimum = block.draw(4);
            block.put(group, 0, scale);
            block.put(group, 4, minimum);
            for (; e < 16 * group + 16; e++) {
                values[e] = d * scale * layered(block, 16, e, block.draw(2)) - dmin * minimum;
            }
        }
    }

    /** value = d·(scale − 32)·(code − 4); 16 groups of 16. */
    private static void q3k(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(108, d);
        for (int group = 0, e = 0; group < 16; group++) {
            int scale = block.draw(6);
            block.put(96 + (group < 8 ? group : group - 8), group < 8 ? 0 : 4, scale & 15);
            block.put(96 + 8 + group % 4, 2 * (group / 4), scale >> 4);
            for (; e < 16 * group + 16; e++) {
                int code = block.draw(3);
                layered(block, 32, e, code & 3);
                block.put(e % 32, e / 32, code >> 2);
                values[e] = d * (scale - 32) * (code - 4);
            }
        }
    }

    /** value = d·scale·code − dmin·minimum; 8 groups of 32, two of which share 32 bytes. */
    private static void q45k(BlockBytes block, double[] values, boolean five) {
        double d = block.drawHalf();
        double dmin = block.drawHalf();
        block.half(0, d);
        block.half(2, dmin);
        for (int group = 0; group < 8; group++) {
            int scale = block.draw(6);
            int minimum = block.draw(6);
            if (group < 4) {
                block.put(4 + group, 0, scale);
                block.put(8 + group, 0, minimum);
            } else {
                block.put(8 + group, 0, scale & 15);
                block.put(8 + group, 4, minimum & 15);
                block.put(group, 6, scale >> 4);
                block.put(4 + group, 6, minimum >> 4);
            }
            for (int lane = 0; lane < 32; lane++) {
                int code = block.draw(five ? 5 : 4);
                block.put((five ? 48 : 16) + 32 * (group / 2) + lane, 4 * (group % 2), code & 15);
                if (five) {
                    block.put(16 + lane, group, code >> 4);
                }
                values[32 * group + lane] = d * scale * code - dmin * minimum;
            }
        }
    }

    /** value = d·scale·(code − 32) with a signed scale; 16 groups of 16. */
    private static void q6k(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(208, d);
        for (int group = 0, e = 0; group < 16; group++) {
            byte scale = (byte) block.draw(8);
            block.put(192 + group, 0, scale);
            for (; e < 16 * group + 16; e++) {
                int code = block.draw(6);
                int quarter = e % 128 / 32;
                block.put(64 * (e / 128) + 32 * (quarter % 2) + e % 32, 4 * (quarter / 2), code & 15);
                layered(block, 128, e, code >> 4);
                values[e] = d * scale * (code - 32);
            }
        }
    }

    private static void iq4nl(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(0, d);
        nibbles(block, 2, values, 0, d, IQ4);
    }

    /** value = d·(scale − 32)·table[code]; 8 groups of 32. */
    private static void iq4xs(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(0, d);
        for (int group = 0; group < 8; group++) {
            int scale = block.draw(6);
            block.put(4 + group / 2, 4 * (group % 2), scale & 15);
            block.put(2 + group / 4, 2 * (group % 4), scale >> 4);
            nibbles(block, 8 + 16 * group, values, 32 * group, d * (scale - 32), IQ4);
        }
    }

    /** 32 codes in 16 bytes; the low nibbles come first. */
    private static void nibbles(BlockBytes block, int at, double[] values, int to, double scale, int[] table) {
        for (int e = 0; e < 32; e++) {
            int code = block.draw(4);
            block.put(at + (e < 16 ? e : e - 16), e < 16 ? 0 : 4, code);
            values[to + e] = scale * table[code];
        }
    }

    /** value = 2^(exponent − 127)·float; the doubled 6 makes the largest exponents infinite. */
    private static void mxfp4(BlockBytes block, double[] values) {
        int exponent = Math.min(254, block.random.nextInt(3) == 0 ? block.random.nextInt(4) : block.draw(8));
        block.put(0, 0, exponent);
        for (int e = 0; e < 32; e++) {
            int code = block.draw(4);
            block.put(1 + (e < 16 ? e : e - 16), e < 16 ? 0 : 4, code);
            values[e] = Math.scalb(FP4[code], exponent - 127);
        }
    }

    /** value = d·(digit − 1); a byte is ⌈256·n / 243⌉ for the number n of five ternary digits, the first one highest. */
    private static void tq1(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(52, d);
        int e = 0;
        for (int[] part : new int[][] {{0, 32, 5}, {32, 16, 5}, {48, 4, 4}}) {
            for (int lane = 0; lane < part[1]; lane++) {
                int n = 0;
                for (int digit = 0; digit < part[2]; digit++) {
                    int value = block.random.nextInt(3);
                    values[e + digit * part[1] + lane] = d * (value - 1);
                    n = 3 * n + value;
                }
                n *= part[2] == 4 ? 3 : 1;
                block.put(part[0] + lane, 0, (256 * n + 242) / 243);
            }
            e += part[1] * part[2];
        }
    }

    private static void tq2(BlockBytes block, double[] values) {
        double d = block.drawHalf();
        block.half(64, d);
        for (int e = 0; e < 256; e++) {
            values[e] = d * (layered(block, 0, e, block.draw(2)) - 1);
        }
    }

    /** Puts the two bits of element {@code e}: 32 bytes have four layers, from bits 0, 2, 4 and 6 on, of 32 elements each. */
    private static int layered(BlockBytes block, int at, int e, int code) {
        int layer = e / 32;
        block.put(at + (layer < 4 ? 0 : 32) + e % 32, 2 * (layer % 4), code);
        return code;
    }
}
