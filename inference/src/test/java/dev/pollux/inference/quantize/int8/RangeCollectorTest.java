package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeCollectorTest {

    private static final RangeMethod ASYMMETRIC = new RangeMethod(RangeMethod.Kind.PERCENTILE, 99, false, false);

    private static List<float[]> inputs(long seed) {
        Random random = new Random(seed);
        List<float[]> inputs = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            float[] values = new float[100 + random.nextInt(400)];
            for (int j = 0; j < values.length; j++) {
                values[j] = (float) (random.nextGaussian() * (1 + i));
            }
            inputs.add(values);
        }
        return inputs;
    }

    private static ValueRange range(RangeMethod method, List<float[]> inputs) {
        RangeCollector collector = new RangeCollector(method);
        inputs.forEach(input -> collector.add(List.of(input)));
        if (RangeCollector.passes(method) == 2) {
            collector.beginCounting();
            inputs.forEach(input -> collector.add(List.of(input)));
        }
        return collector.range();
    }

    private static float[] joined(List<float[]> inputs) {
        float[] all = new float[inputs.stream().mapToInt(input -> input.length).sum()];
        int at = 0;
        for (float[] input : inputs) {
            System.arraycopy(input, 0, all, at, input.length);
            at += input.length;
        }
        return all;
    }

    @Test
    void twoPassesGiveTheRangeOfAllValuesInOneCall() {
        long seed = 11;
        List<float[]> inputs = inputs(seed);
        for (RangeMethod method :
                List.of(RangeMethod.PERCENTILE, ASYMMETRIC, RangeMethod.ENTROPY, RangeMethod.MIN_MAX)) {
            assertThat(range(method, inputs))
                    .as(method + " seed " + seed)
                    .isEqualTo(range(method, List.of(joined(inputs))));
        }
    }

    @Test
    void twoPassesDoNotDependOnTheOrderOfInputs() {
        long seed = 12;
        List<float[]> inputs = inputs(seed);
        List<float[]> reversed = new ArrayList<>(inputs);
        Collections.reverse(reversed);

        for (RangeMethod method : List.of(RangeMethod.PERCENTILE, ASYMMETRIC, RangeMethod.ENTROPY)) {
            assertThat(range(method, inputs)).as(method + " seed " + seed).isEqualTo(range(method, reversed));
        }
    }

    @Test
    void onePassExtendsTheBins() {
        long seed = 13;
        List<float[]> inputs = inputs(seed);
        SignedHistogram histogram = new SignedHistogram(EntropyRange.LEVELS);
        inputs.forEach(histogram::collect);

        assertThat(range(new RangeMethod(RangeMethod.Kind.ENTROPY, 100, false, true), inputs))
                .as("seed " + seed)
                .isEqualTo(EntropyRange.of(histogram));
    }

    @Test
    void theMovingAverageTakesOnePercentOfEachInput() {
        ValueRange range = range(RangeMethod.MOVING_AVERAGE, List.of(new float[] {-1, 2}, new float[] {-3, 12}));

        assertThat((double) range.low()).isCloseTo(-1.02, within(1e-6));
        assertThat((double) range.high()).isCloseTo(2.1, within(1e-6));
    }

    @Test
    void valuesThatAreNotNumbersAreIgnored() {
        assertThat(range(RangeMethod.MIN_MAX, List.of(new float[] {Float.NaN, 3, -1})))
                .isEqualTo(new ValueRange(-1, 3));
        assertThat(range(RangeMethod.MIN_MAX, List.of(new float[] {Float.NaN}))).isEqualTo(new ValueRange(0, 0));
    }

    @Test
    void aRangeOfOneValueHasThatValue() {
        float[] same = new float[50];
        Arrays.fill(same, 2.5f);

        for (RangeMethod method : List.of(RangeMethod.PERCENTILE, ASYMMETRIC, RangeMethod.ENTROPY)) {
            assertThat(range(method, List.of(same)).high())
                    .as(method.toString())
                    .isLessThanOrEqualTo(2.5f);
        }
    }

    @Test
    void binsAreMergedWhenThereWouldBeTooMany() {
        for (Histogram histogram : List.of(new SignedHistogram(128), new MagnitudeHistogram(2048))) {
            histogram.collect(new float[] {1e-6f, -1e-6f, 5e-7f});
            histogram.collect(new float[] {1e6f, -1e6f, 3});

            assertThat(histogram.counts()).hasSize(Histogram.MAX_BINS);
            assertThat(Arrays.stream(histogram.counts()).sum()).isEqualTo(6);
        }
    }

    @Test
    void aPercentageIsBetween0And100() {
        assertThatThrownBy(() -> new RangeMethod(RangeMethod.Kind.PERCENTILE, 0, true, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("percent must be in (0, 100] but was 0.0");
    }
}
