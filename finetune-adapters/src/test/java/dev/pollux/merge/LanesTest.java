package dev.pollux.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.internal.math.Float16;
import dev.pollux.internal.math.Lanes;
import dev.pollux.internal.math.ScalarLanes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The loops without branches against the words of the formulas, and their two forms against each other. */
class LanesTest {

    /** What one loop returns, if anything; the arrays are its to change. */
    interface Loop {
        Object run(Lanes lanes, float[][] x, int from, int to);
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
        loops.put("scale", changing((lanes, x, from, to) -> lanes.scale(x[0], 0.3f, x[1], from, to)));
        loops.put("add", changing((lanes, x, from, to) -> lanes.add(x[0], -0.7f, x[1], from, to)));
        loops.put("addTo", changing((lanes, x, from, to) -> lanes.addTo(x[0], 0.3f, x[1], x[2], from, to)));
        loops.put("subtract", changing((lanes, x, from, to) -> lanes.subtract(x[0], x[1], x[2], from, to)));
        loops.put("dot", (lanes, x, from, to) -> lanes.dot(x[0], x[1], from, to));
        loops.put("magnitude", (lanes, x, from, to) -> lanes.magnitude(x[0], from, to));
        loops.put("equal", (lanes, x, from, to) -> lanes.equal(x[0], 0.5f, new float[ROOM], from, to));
        loops.put("find", (lanes, x, from, to) -> {
            int[] found = new int[ROOM];
            long both = lanes.find(x[0], Float.floatToRawIntBits(0.5f), 3 << 14, found, from, to);
            return List.of(both, Arrays.toString(Arrays.copyOf(found, (int) both)));
        });
        loops.put("nonZero", (lanes, x, from, to) -> lanes.nonZero(x[0], from, to));
        loops.put("thin", changing((lanes, x, from, to) -> lanes.thin(x[0], 0.5f, from, to)));
        loops.put("thin at 0", changing((lanes, x, from, to) -> lanes.thin(x[0], 0f, from, to)));
        loops.put(
                "thin at random",
                changing((lanes, x, from, to) ->
                        lanes.thin(x[0], 77, 1L << 33, CounterRandom.limit(0.3), new long[ROOM], from, to)));
        loops.put("vote", changing((lanes, x, from, to) -> lanes.vote(x[0], 0.3f, x[1], x[2], from, to)));
        loops.put(
                "vote with weights",
                changing((lanes, x, from, to) ->
                        lanes.vote(x[0], -0.3f, -0.3f, x[1], x[2], sums(x[3]), sums(x[4]), from, to)));
        loops.put("elect", changing((lanes, x, from, to) -> lanes.elect(x[0], x[1], from, to)));
        loops.put("electMean", changing((lanes, x, from, to) -> lanes.electMean(x[0], x[1], x[2], x[3], from, to)));
        loops.put("conflicts", changing((lanes, x, from, to) -> lanes.conflicts(x[0], votes(x), x[2], from, to)));
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
        void run(Lanes lanes, float[][] x, int from, int to);
    }

    private static Loop changing(Change change) {
        return (lanes, x, from, to) -> {
            change.run(lanes, x, from, to);
            return "nothing";
        };
    }

    @ParameterizedTest
    @MethodSource("loops")
    void bothFormsGiveTheSameBits(Loop loop) {
        assumeTrue(
                Lanes.BEST != ScalarLanes.INSTANCE,
                "the vectors of this processor have fewer than 256 bits, or the JVM runs without jdk.incubator.vector");
        Random random = new Random(5);
        for (int round = 0; round < 200; round++) {
            int from = random.nextInt(16);
            int to = from + (round % 4 == 0 ? 2048 : random.nextInt(70));
            float[][] scalar = arrays(random);
            float[][] vector = copy(scalar);
            assertThat(loop.run(Lanes.BEST, vector, from, to))
                    .isEqualTo(loop.run(ScalarLanes.INSTANCE, scalar, from, to));
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
                Lanes.BEST != ScalarLanes.INSTANCE,
                "the vectors of this processor have fewer than 256 bits, or the JVM runs without jdk.incubator.vector");
        for (Lanes lanes : List.of(Lanes.BEST, ScalarLanes.INSTANCE)) {
            Random random = new Random(6);
            float[] values = new float[5003];
            for (int j = 0; j < values.length; j++) {
                values[j] = Float.intBitsToFloat(random.nextInt()); // of every exponent, with NaNs and infinities
            }
            short[] rounded = new short[5000];
            lanes.encode(values, 3, 5000, rounded);
            float[] back = new float[5003];
            lanes.decode(rounded, 5000, back, 3);
            for (int j = 0; j < rounded.length; j++) {
                assertThat(rounded[j]).isEqualTo(Float16.toBfloat16(values[3 + j]));
                assertThat(Float.floatToRawIntBits(back[3 + j])).isEqualTo(rounded[j] << 16);
            }
        }
    }

    @Test
    void weightsThatAreNoNumbersStayVisible() {
        for (Lanes lanes : List.of(Lanes.BEST, ScalarLanes.INSTANCE)) {
            for (float bad : NOT_FINITE) {
                float[] x = new float[64];
                x[17] = bad;
                float[] sum = new float[64];
                float[] size = new float[64];
                float[] weightSum = new float[64];
                float[] weightSize = new float[64];
                lanes.thin(x, 0.5f, 0, 64);
                lanes.vote(x, 1, 1, sum, size, weightSum, weightSize, 0, 64);
                lanes.electMean(sum, size, weightSum, weightSize, 0, 64);
                for (int j = 0; j < 64; j++) {
                    assertThat(Float.isFinite(sum[j])).as("%s of %s", j, lanes).isEqualTo(j != 17);
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

    /** Sums of a few floats of about 1. */
    private static final Offset<Double> ROUNDING = Offset.offset(1e-6);

    @RepeatedTest(20)
    void electedMeanIsThatOfTheModelsOfTheMajority(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int n = 1 + random.nextInt(4);
        int elements = 64;
        float[][] sources = new float[n + 1][elements];
        List<Double> weights = new ArrayList<>();
        for (int i = 1; i <= n; i++) {
            weights.add((random.nextInt(9) - 3) / 4.0);
            for (int j = 0; j < elements; j++) {
                sources[i][j] = (random.nextInt(5) - 2) / 8f; // exact zeros and exact ties
            }
        }
        for (boolean normalize : new boolean[] {true, false}) {
            float[] merged = FakeWindows.of(8, sources)
                    .merge(new Ties(weights, Collections.nCopies(n, 1.0), new TaskSum(true, normalize, 0.5, false)));
            for (int j = 0; j < elements; j++) {
                assertThat((double) merged[j])
                        .as("seed %s, element %s", seed, j)
                        .isCloseTo(0.5 * elected(sources, weights, normalize, j), ROUNDING);
            }
        }
    }

    private static double elected(float[][] sources, List<Double> weights, boolean normalize, int j) {
        double sum = 0;
        for (int i = 0; i < weights.size(); i++) {
            sum += weights.get(i) * sources[i + 1][j];
        }
        double sign = sum >= 0 ? 1 : -1;
        double elected = 0;
        double share = 0;
        for (int i = 0; i < weights.size(); i++) {
            double weighted = weights.get(i) * sources[i + 1][j];
            if (Math.signum(weighted) == sign) {
                elected += weighted;
                share += weights.get(i);
            }
        }
        return normalize && share != 0 ? elected / share : elected;
    }
}
