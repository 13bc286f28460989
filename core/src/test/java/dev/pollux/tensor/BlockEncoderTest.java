package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Encoded elements are read back by the decoders, at the error that a type of this width has. */
class BlockEncoderTest {

    /** Relative errors ‖x − x̂‖ / ‖x‖ of Gaussian values, measured with ggml's quantizers, plus 2 %. */
    private static final Map<DType, Double> ERRORS = Map.of(
            DType.F16, 0.0003,
            DType.BF16, 0.0018,
            DType.Q8_0, 0.0062,
            DType.Q4_0, 0.0950,
            DType.Q4_1, 0.0830,
            DType.Q5_0, 0.0470,
            DType.Q5_1, 0.0400,
            DType.Q4_K, 0.0760,
            DType.Q5_K, 0.0390,
            DType.Q6_K, 0.0190);

    private static ByteBuffer encoded(DType type, float[] values) {
        int bytes = values.length / type.blockSize() * type.blockBytes();
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        BlockEncoder.encode(type, values, 0, values.length, out);
        assertThat(out.hasRemaining()).isFalse();
        return out.flip();
    }

    private static float[] decoded(DType type, float[] values) {
        float[] back = new float[values.length];
        Dequantizer.decode(type, encoded(type, values), back, 0, back.length);
        return back;
    }

    private static double relativeError(float[] values, float[] back) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < values.length; i++) {
            error += Math.pow(values[i] - back[i], 2);
            norm += Math.pow(values[i], 2);
        }
        return Math.sqrt(error / norm);
    }

    /** 32 numbers that floats have exactly, of both signs, without a tie for the largest. */
    private static String hex(DType type) {
        float[] values = new float[32];
        for (int i = 0; i < 32; i++) {
            values[i] = (i * 37 % 101 - 50) / 16f;
        }
        return HexFormat.of().formatHex(encoded(type, values).array());
    }

    @Test
    void blocksHaveTheBytesOfTheReferenceQuantizers() {
        assertThat(hex(DType.Q8_0)).isEqualTo("4d2681df3d9af856b41270cd2b89e745a2005ebb1977d53390ee4caa0866c3217fdc");
        assertThat(hex(DType.Q4_0)).isEqualTo("4036e046acf258bd1379df358be046acf268");
        assertThat(hex(DType.Q4_1)).isEqualTo("ab3640c2d0369bf257bd1369ce258ae0469cf258");
        assertThat(hex(DType.Q5_0)).isEqualTo("4032a4a52d6dc07c38f3bf6b26e2ae5a15d18d49f4c0");
        assertThat(hex(DType.Q5_1)).isEqualTo("743240c2a4a52d6db07b37e3af6a26d29d5905c18c48f4b0");
    }

    @Test
    void gaussianValuesKeepTheErrorOfTheirType() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        float[] values = new float[1 << 16];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 0.02f;
        }
        ERRORS.forEach((type, most) -> assertThat(relativeError(values, decoded(type, values)))
                .as("seed %d, %s", seed, type)
                .isLessThan(most));
    }

    @Test
    void decodedValuesAreEncodedToTheSameValues() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        float[] values = new float[1024];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        for (DType type : new DType[] {DType.F32, DType.F16, DType.BF16, DType.Q8_0}) {
            float[] once = decoded(type, values);
            float[] twice = decoded(type, once);
            for (int i = 0; i < once.length; i++) {
                assertThat(twice[i]).as("seed %d, %s, %d", seed, type, i).isCloseTo(once[i], within(once[i]));
            }
        }
    }

    /** Half precision rounds the scale again. */
    private static org.assertj.core.data.Offset<Float> within(float value) {
        return org.assertj.core.api.Assertions.within(Math.abs(value) * 0x1p-9f);
    }

    @Test
    void zerosStayZerosAndConstantsStayClose() {
        for (DType type : BlockEncoder.types()) {
            for (float zero : decoded(type, new float[256])) {
                assertThat(zero == 0).as("%s %s", type, zero).isTrue(); // −0 too
            }
            float[] constant = new float[256];
            java.util.Arrays.fill(constant, 0.75f);
            assertThat(relativeError(constant, decoded(type, constant)))
                    .as("%s", type)
                    .isLessThan(0.01);
            java.util.Arrays.fill(constant, -0.75f);
            assertThat(relativeError(constant, decoded(type, constant)))
                    .as("%s", type)
                    .isLessThan(0.01);
        }
    }

    @Test
    void otherTypesAndPartsOfBlocksAreRefused() {
        ByteBuffer out = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
        assertThatThrownBy(() -> BlockEncoder.encode(DType.IQ1_S, new float[256], 0, 256, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("type must be one of [F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K] and"
                        + " count a multiple of its block but were IQ1_S and 256");
        assertThatThrownBy(() -> BlockEncoder.encode(DType.Q8_0, new float[256], 0, 16, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("but were Q8_0 and 16");
    }
}
