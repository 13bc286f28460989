package dev.pollux.internal.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class DotKernelsTest {

    private static final long SEED = 20_261_130;

    /** Sums of up to 400 products of numbers near 1 in float: about n * 2^-24. */
    private static final Offset<Float> FLOAT_SUM = Offset.offset(1e-4f);

    private final Random random = new Random(SEED);

    @Test
    void productsOfFloatsAreThoseOfThePlainLoop() {
        for (int n = 1; n <= 400; n += 1 + n / 8) {
            int rows = 1 + random.nextInt(9);
            int at = random.nextInt(5);
            float[] query = floats(n);
            float[] all = floats(at + rows * n);
            float[] scalar = new float[rows];
            ScalarDotKernels.INSTANCE.dots(query, all, at, rows, scalar);
            for (int row = 0; row < rows; row++) {
                double expected = 0;
                for (int i = 0; i < n; i++) {
                    expected += (double) query[i] * all[at + row * n + i];
                }
                assertThat(scalar[row])
                        .as("seed %d, n %d, row %d", SEED, n, row)
                        .isEqualTo((float) expected, FLOAT_SUM);
            }
        }
    }

    @Test
    void productsOfBytesAreExact() {
        for (int n = 1; n <= 400; n += 1 + n / 8) {
            int rows = 1 + random.nextInt(9);
            int at = random.nextInt(5);
            short[] query = new short[n];
            byte[] all = bytes(at + rows * n);
            for (int i = 0; i < n; i++) {
                query[i] = (short) (random.nextBoolean() ? -127 : random.nextInt(255) - 127);
            }
            int[] found = new int[rows];
            DotKernels.BEST.dots(query, all, at, rows, found);
            int[] scalar = new int[rows];
            ScalarDotKernels.INSTANCE.dots(query, all, at, rows, scalar);
            for (int row = 0; row < rows; row++) {
                int expected = 0;
                for (int i = 0; i < n; i++) {
                    expected += query[i] * all[at + row * n + i];
                }
                assertThat(found[row]).as("seed %d, n %d, row %d", SEED, n, row).isEqualTo(expected);
                assertThat(scalar[row])
                        .as("seed %d, n %d, row %d", SEED, n, row)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void theVectorApiGivesTheSameBits() {
        assumeTrue(DotKernels.BEST != ScalarDotKernels.INSTANCE, "without --add-modules jdk.incubator.vector");
        for (int n = 1; n <= 1100; n += 1 + n / 8) {
            int rows = 1 + random.nextInt(9);
            int at = random.nextInt(5);
            float[] query = floats(n);
            float[] all = floats(at + rows * n);
            float[] scalar = new float[rows];
            float[] vector = new float[rows];
            ScalarDotKernels.INSTANCE.dots(query, all, at, rows, scalar);
            DotKernels.BEST.dots(query, all, at, rows, vector);
            assertThat(vector).as("seed %d, n %d", SEED, n).isEqualTo(scalar);
        }
    }

    private float[] floats(int n) {
        float[] floats = new float[n];
        for (int i = 0; i < n; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    private byte[] bytes(int n) {
        byte[] bytes = new byte[n];
        for (int i = 0; i < n; i++) {
            bytes[i] = (byte) (random.nextBoolean() ? -127 : random.nextInt(255) - 127);
        }
        return bytes;
    }
}
