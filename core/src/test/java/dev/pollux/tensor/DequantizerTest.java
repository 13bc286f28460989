package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The plain types, by their extremes, and GGUF's blocks of 32, by their formulas. */
class DequantizerTest {

    private record Plain(DType type, Consumer<ByteBuffer> stored, float... values) {}

    @TestFactory
    Stream<DynamicTest> theExtremesOfAPlainTypeAreRead() {
        return Stream.of(
                        new Plain(
                                DType.F32,
                                in -> in.putInt(0x7f7fffff).putInt(1).putInt(0xff800000),
                                Float.MAX_VALUE,
                                Float.MIN_VALUE,
                                Float.NEGATIVE_INFINITY),
                        new Plain(
                                DType.F64,
                                in -> in.putDouble(Double.MAX_VALUE)
                                        .putDouble(0.1)
                                        .putDouble(-2),
                                Float.POSITIVE_INFINITY,
                                0.1f,
                                -2),
                        new Plain(
                                DType.F16,
                                in -> in.putShort((short) 0x7bff)
                                        .putShort((short) 0x8001)
                                        .putShort((short) 0x3c00),
                                65504,
                                -0x1p-24f,
                                1),
                        new Plain(
                                DType.BF16,
                                in -> in.putShort((short) 0x4049)
                                        .putShort((short) 0xbf80)
                                        .putShort((short) 1),
                                3.140625f,
                                -1,
                                0x1p-133f),
                        new Plain(
                                DType.I64,
                                in -> in.putLong(Long.MIN_VALUE).putLong(-1).putLong(1L << 40),
                                -0x1p63f,
                                -1,
                                0x1p40f),
                        new Plain(
                                DType.I32,
                                in -> in.putInt(Integer.MIN_VALUE).putInt(-1).putInt(7),
                                -0x1p31f,
                                -1,
                                7),
                        new Plain(
                                DType.I16,
                                in -> in.putShort(Short.MIN_VALUE)
                                        .putShort((short) -1)
                                        .putShort((short) 300),
                                -32768,
                                -1,
                                300),
                        new Plain(
                                DType.I8,
                                in -> in.put((byte) -128).put((byte) -1).put((byte) 127),
                                -128,
                                -1,
                                127),
                        new Plain(
                                DType.U32,
                                in -> in.putInt(-1).putInt(Integer.MIN_VALUE).putInt(7),
                                0x1p32f,
                                0x1p31f,
                                7),
                        new Plain(
                                DType.U16,
                                in -> in.putShort((short) -1)
                                        .putShort(Short.MIN_VALUE)
                                        .putShort((short) 7),
                                65535,
                                32768,
                                7),
                        new Plain(
                                DType.U8,
                                in -> in.put((byte) -1).put((byte) -128).put((byte) 7),
                                255,
                                128,
                                7),
                        new Plain(
                                DType.BOOL, in -> in.put((byte) 1).put((byte) 0).put((byte) 1), 1, 0, 1),
                        new Plain(
                                DType.F8_E4M3,
                                in -> in.put((byte) 0x7e).put((byte) 0x81).put((byte) 0x38),
                                448,
                                -0x1p-9f,
                                1),
                        new Plain(
                                DType.F8_E5M2,
                                in -> in.put((byte) 0x7b).put((byte) 0x81).put((byte) 0x3c),
                                57344,
                                -0x1p-16f,
                                1),
                        new Plain(
                                DType.F8_E8M0,
                                in -> in.put((byte) 0xfe).put((byte) 0).put((byte) 127),
                                0x1p127f,
                                0x1p-127f,
                                1))
                .map(plain -> dynamicTest(plain.type().name(), () -> {
                    ByteBuffer in =
                            ByteBuffer.allocate(3 * plain.type().blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
                    plain.stored().accept(in);
                    float[] values = {9, 9, 9, 9, 9};
                    Dequantizer.decode(plain.type(), in.flip(), values, 1, 3);
                    assertThat(values).containsExactly(9, plain.values()[0], plain.values()[1], plain.values()[2], 9);
                }));
    }

    @Test
    void manyBfloat16sAreTheUpperHalvesOfFloats() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int count : new int[] {8191, 8192, 8193, 3 * 8192, 20_001}) {
            ByteBuffer in = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
            float[] due = new float[count + 3];
            for (int i = 0; i < count; i++) {
                int upper = random.nextInt(0x7f80);
                in.putShort((short) upper);
                due[2 + i] = Float.intBitsToFloat(upper << 16);
            }
            float[] values = new float[count + 3];
            Dequantizer.decode(DType.BF16, in.flip(), values, 2, count);
            assertThat(values).as("seed %d, count %d", seed, count).containsExactly(due);
        }
    }

    @TestFactory
    Stream<DynamicTest> aBlockOf32HasTheValuesOfItsFormula() {
        return Stream.of(
                        block(DType.Q4_0, 4, false, 8),
                        block(DType.Q4_1, 4, true, 0),
                        block(DType.Q5_0, 5, false, 16),
                        block(DType.Q5_1, 5, true, 0),
                        new BlockFormat(DType.Q8_0, (block, values) -> {
                            double d = block.drawHalf();
                            block.half(0, d);
                            for (int e = 0; e < 32; e++) {
                                byte code = (byte) block.draw(8);
                                block.put(2 + e, 0, code);
                                values[e] = code * d;
                            }
                        }))
                .map(BlockFormat::test);
    }

    /** value = d·(code − zero) + m; a fifth bit of each code is a bit of a 32-bit word before the nibbles. */
    private static BlockFormat block(DType type, int bits, boolean minimum, int zero) {
        return new BlockFormat(type, (block, values) -> {
            double d = block.drawHalf();
            double m = block.drawHalf();
            block.half(0, d);
            int high = 2;
            if (minimum) {
                block.half(2, m);
                high = 4;
            }
            for (int e = 0; e < 32; e++) {
                int code = block.draw(bits);
                if (bits == 5) {
                    block.put(high + e / 8, e % 8, code >> 4);
                }
                block.put(high + (bits == 5 ? 4 : 0) + e % 16, e < 16 ? 0 : 4, code & 15);
                values[e] = (code - zero) * d + (minimum ? m : -0.0);
            }
        });
    }

    @Test
    void aTypeWithoutReaderIsRefusedWithThoseThatHaveOne() {
        EnumSet<DType> unread = EnumSet.of(DType.U64, DType.Q8_1, DType.Q8_K);
        for (DType type : DType.values()) {
            assertThat(Dequantizer.canRead(type)).as(type.name()).isEqualTo(!unread.contains(type));
        }
        assertThatThrownBy(() -> Dequantizer.requireReader(DType.U64))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("Tensor type U64 cannot be read yet, only " + EnumSet.complementOf(unread)
                        + "; use a file in one of these");
    }
}
