package dev.pollux.internal.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The loops without branches against the words of the formulas, and their two forms against each other. */
class KernelsTest {

    /** What one loop returns, if anything; the arrays are its to change. */
    interface Loop {
        Object run(Kernels kernels, float[][] x, int from, int to);
    }

    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        0x1.8p-130f,
        Float.MIN_NORMAL,
        -1f,
        1f,
        0.5f,
        Math.nextUp(0.5f),
        -Math.nextDown(0.5f),
        0x1p67f,
        -0x1p67f
    };

    private static final float[] NOT_FINITE = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};

    private static final int ROOM = 2048 + 16;

    static Stream<Arguments> loops() {
        Map<String, Loop> loops = new LinkedHashMap<>();
        loops.put("scale", changing((kernels, x, from, to) -> kernels.scale(x[0], 0.3f, x[1], from, to)));
        loops.put("add", changing((kernels, x, from, to) -> kernels.add(x[0], -0.7f, x[1], from, to)));
        loops.put("addTo", changing((kernels, x, from, to) -> kernels.addTo(x[0], 0.3f, x[1], x[2], from, to)));
        loops.put("subtract", changing((kernels, x, from, to) -> kernels.subtract(x[0], x[1], x[2], from, to)));
        loops.put("dot", (kernels, x, from, to) -> kernels.dot(x[0], x[1], from, to));
        loops.put("magnitude", (kernels, x, from, to) -> kernels.magnitude(x[0], from, to));
        loops.put("equal", (kernels, x, from, to) -> kernels.equal(x[0], 0.5f, new float[ROOM], from, to));
        loops.put("find", (kernels, x, from, to) -> {
            int[] found = new int[ROOM];
            long both = kernels.find(x[0], Float.floatToRawIntBits(0.5f), 3 << 14, found, from, to);
            return List.of(both, Arrays.toString(Arrays.copyOf(found, (int) both)));
        });
        loops.put("nonZero", (kernels, x, from, to) -> kernels.nonZero(x[0], from, to));
        loops.put("prune", changing((kernels, x, from, to) -> kernels.prune(x[0], 0.5f, from, to)));
        loops.put("prune at 0", changing((kernels, x, from, to) -> kernels.prune(x[0], 0f, from, to)));
        loops.put(
                "prune at random",
                changing((kernels, x, from, to) -> kernels.prune(
                        x[0], new Kernels.Draw(77, 1L << 33, CounterRandom.limit(0.3)), new long[ROOM], from, to)));
        loops.put("vote", changing((kernels, x, from, to) -> kernels.vote(x[0], 0.3f, x[1], x[2], from, to)));
        loops.put(
                "vote with weights",
                changing((kernels, x, from, to) ->
                        kernels.vote(x[0], -0.3f, -0.3f, new SignVotes(x[1], x[2], sums(x[3]), sums(x[4])), from, to)));
        loops.put("elect", changing((kernels, x, from, to) -> kernels.elect(x[0], x[1], from, to)));
        loops.put(
                "electMean",
                changing((kernels, x, from, to) -> kernels.electMean(new SignVotes(x[0], x[1], x[2], x[3]), from, to)));
        loops.put("conflicts", changing((kernels, x, from, to) -> kernels.conflicts(x[0], votes(x), x[2], from, to)));
        return loops.entrySet().stream().map(loop -> Arguments.of(Named.of(loop.getKey(), loop.getValue())));
    }

    /** Weights as voted: none is below the magnitude of their signed sum. */
    private static float[] votes(float[][] x) {
        float[] size = x[1];
        for (int j = 0; j < size.length; j++) {
            size[j] = Math.abs(x[0][j]) + (j % 3 == 0 ? Math.abs(size[j]) : 0);
        }
        return size;
    }

    /** Sums as they come about from 0 on: none is -0. */
    private static float[] sums(float[] x) {
        for (int j = 0; j < x.length; j++) {
            x[j] += 0f;
        }
        return x;
    }

    private interface Change {
        void run(Kernels kernels, float[][] x, int from, int to);
    }

    private static Loop changing(Change change) {
        return (kernels, x, from, to) -> {
            change.run(kernels, x, from, to);
            return "nothing";
        };
    }

    @ParameterizedTest
    @MethodSource("loops")
    void bothFormsGiveTheSameBits(Loop loop) {
        assumeTrue(
                Kernels.BEST != ScalarKernels.INSTANCE,
                "the vectors of this processor have fewer than 256 bits, or the JVM runs without jdk.incubator.vector");
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            int from = random.nextInt(16);
            int to = from + (round % 4 == 0 ? 2048 : random.nextInt(70));
            float[][] scalar = arrays(random);
            float[][] vector = copy(scalar);
            assertThat(loop.run(Kernels.BEST, vector, from, to))
                    .isEqualTo(loop.run(ScalarKernels.INSTANCE, scalar, from, to));
            for (int i = 0; i < scalar.length; i++) {
                assertThat(Arrays.mismatch(bits(vector[i]), bits(scalar[i])))
                        .as("first difference in array %s of round %s", i, round)
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void bothFormsReadAndRoundBfloat16Alike() {
        assumeTrue(
                Kernels.BEST != ScalarKernels.INSTANCE,
                "the vectors of this processor have fewer than 256 bits, or the JVM runs without jdk.incubator.vector");
        for (Kernels kernels : List.of(Kernels.BEST, ScalarKernels.INSTANCE)) {
            Random random = new Random(6);
            float[] values = new float[5003];
            for (int j = 0; j < values.length; j++) {
                values[j] = Float.intBitsToFloat(random.nextInt()); // of every exponent, with NaNs and infinities
            }
            short[] rounded = new short[5000];
            kernels.encode(values, 3, 5000, rounded);
            float[] back = new float[5003];
            kernels.decode(rounded, 5000, back, 3);
            for (int j = 0; j < rounded.length; j++) {
                assertThat(rounded[j]).isEqualTo(Float16.toBfloat16(values[3 + j]));
                assertThat(Float.floatToRawIntBits(back[3 + j])).isEqualTo(rounded[j] << 16);
            }
        }
    }

    @Test
    void weightsThatAreNoNumbersStayVisible() {
        for (Kernels kernels : List.of(Kernels.BEST, ScalarKernels.INSTANCE)) {
            for (float bad : NOT_FINITE) {
                float[] x = new float[64];
                x[17] = bad;
                float[] sum = new float[64];
                float[] size = new float[64];
                float[] weightSum = new float[64];
                float[] weightSize = new float[64];
                kernels.prune(x, 0.5f, 0, 64);
                kernels.vote(x, 1, 1, new SignVotes(sum, size, weightSum, weightSize), 0, 64);
                kernels.electMean(new SignVotes(sum, size, weightSum, weightSize), 0, 64);
                for (int j = 0; j < 64; j++) {
                    assertThat(Float.isFinite(sum[j]))
                            .as("%s of %s", j, kernels)
                            .isEqualTo(j != 17);
                }
            }
        }
    }

    private static float[][] arrays(Random random) {
        float[][] x = new float[5][ROOM];
        for (float[] values : x) {
            for (int j = 0; j < ROOM; j++) {
                values[j] = switch (random.nextInt(4)) {
                    case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
                    case 1 -> (random.nextInt(9) - 4) / 8f;
                    case 2 -> 0.5f + random.nextInt(1 << 16) * 0x1p-24f;
                    default -> (float) random.nextGaussian() * 0.01f;
                };
            }
        }
        return x;
    }

    private static float[][] copy(float[][] x) {
        return Stream.of(x).map(float[]::clone).toArray(float[][]::new);
    }

    private static int[] bits(float[] x) {
        int[] bits = new int[x.length];
        for (int j = 0; j < x.length; j++) {
            bits[j] = Float.floatToIntBits(x[j]);
        }
        return bits;
    }
}
