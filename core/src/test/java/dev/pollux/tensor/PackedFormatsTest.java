package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Blocks of a 32-bit scale and 32 codes. A product of a scale and a code is exact in a double, so it is rounded once. */
class PackedFormatsTest {

    /** Twelfths, as the table of bitsandbytes has them. */
    private static final double[] FP4 = {0, 0.0625, 8, 12, 4, 6, 2, 3};

    @TestFactory
    Stream<DynamicTest> aBlockHasTheValuesOfItsFormula() {
        float[] quantiles = unscaled(DType.PACKED_NF4);
        return Stream.of(
                        nibbles(DType.PACKED_INT4, code -> code - 8),
                        nibbles(DType.PACKED_NF4, code -> quantiles[code]),
                        nibbles(DType.PACKED_FP4, code -> (float) (FP4[code & 7] / (code < 8 ? 12 : -12)) + 0.0),
                        bytes(DType.PACKED_INT8, 1, code -> (byte) code),
                        bytes(DType.PACKED_INT16, 2, code -> (short) code),
                        bytes(DType.PACKED_FP8, 1, PackedFormatsTest::e4m3))
                .map(BlockFormat::test);
    }

    @Test
    void theTableOfNormalFloatsHasTheQuantilesOfANormalDistribution() {
        float[] table = unscaled(DType.PACKED_NF4);
        double largest = 0.9677083;
        for (int i = 0; i < 16; i++) {
            double share = (i - 7.0) / (i < 7 ? 7 : 8); // of the way from the median to the largest quantile
            double due = quantile(0.5 + (largest - 0.5) * Math.abs(share)) / quantile(largest);
            assertThat((double) table[i]).as("code %d", i).isCloseTo(Math.signum(share) * due, within(1e-6));
        }
    }

    private static BlockFormat nibbles(DType type, IntToDoubleFunction table) {
        return new BlockFormat(type, (block, values) -> {
            float d = scale(block);
            for (int e = 0; e < 32; e++) {
                int code = block.draw(4);
                block.put(4 + (e < 16 ? e : e - 16), e < 16 ? 0 : 4, code);
                values[e] = table.applyAsDouble(code) * d;
            }
        });
    }

    private static BlockFormat bytes(DType type, int width, IntToDoubleFunction value) {
        return new BlockFormat(type, (block, values) -> {
            float d = scale(block);
            for (int e = 0; e < 32; e++) {
                int code = block.draw(8 * width);
                for (int b = 0; b < width; b++) {
                    block.put(4 + width * e + b, 0, code >> 8 * b);
                }
                values[e] = value.applyAsDouble(code) * d;
            }
        });
    }

    private static float scale(BlockBytes block) {
        float d = (block.random.nextFloat() - 0.5f) * (block.random.nextBoolean() ? 1e-6f : 1e6f);
        block.single(0, d);
        return d;
    }

    /** (-1)^s · 2^(e − 7) · (1 + f/8), subnormal where e is 0; all bits set is NaN. */
    private static double e4m3(int code) {
        int exponent = code >> 3 & 15;
        double fraction = (code & 7) / 8.0;
        double magnitude = exponent == 0 ? fraction * 0x1p-6 : (1 + fraction) * Math.pow(2, exponent - 7);
        return (code & 127) == 127 ? Double.NaN : code < 128 ? magnitude : -magnitude;
    }

    /** The values of the 16 codes at scale 1. */
    private static float[] unscaled(DType type) {
        ByteBuffer block = ByteBuffer.allocate(type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        block.putFloat(1);
        IntStream.range(0, 16).forEach(code -> block.put((byte) code));
        float[] values = new float[32];
        Dequantizer.decode(type, block.flip(), values, 0, 32);
        return values;
    }

    /** The x at which the normal distribution reaches {@code p}, by halving. */
    private static double quantile(double p) {
        double low = 0;
        double high = 4;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (distribution(middle) < p) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …). */
    private static double distribution(double x) {
        double sum = 0;
        double term = x;
        for (int n = 1; n < 200; n += 2) {
            sum += term;
            term *= x * x / (n + 2);
        }
        return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }
}
