package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.internal.math.OrderStatistics;
import dev.pollux.internal.math.RowRanks;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Selection without sorting, against sorting. */
class SelectionTest {

    private static float[] values(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            // few distinct values, so that many are equal, among others of all sizes
            values[i] = random.nextBoolean()
                    ? (random.nextInt(9) - 4) / 8f
                    : (float) (random.nextGaussian() * Math.pow(10, random.nextInt(20) - 10));
        }
        return values;
    }

    @RepeatedTest(20)
    void ranksAreThoseOfTheSortedValues(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        int n = 1 + new Random(seed).nextInt(2000);
        float[] values = values(seed, n);
        float[] sorted = values.clone();
        Arrays.sort(sorted);

        OrderStatistics.Rank[] found = OrderStatistics.select(block -> block.accept(values, n), 0, n / 2, n - 1);

        int[] ranks = {0, n / 2, n - 1};
        for (int r = 0; r < ranks.length; r++) {
            float due = sorted[ranks[r]];
            assertThat(found[r].value()).as("seed %s", seed).isEqualByComparingTo(due + 0f);
            assertThat(found[r].below())
                    .isEqualTo(
                            IntStream.range(0, n).filter(i -> values[i] < due).count());
            assertThat(found[r].equal())
                    .isEqualTo(
                            IntStream.range(0, n).filter(i -> values[i] == due).count());
        }
    }

    @RepeatedTest(20)
    void largestKeepsWhatAStableSortWouldKeep(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        int row = 7;
        int n = row * (1 + new Random(seed).nextInt(300));
        float[] delta = values(seed, n);
        double density = 0.1 + 0.8 * new Random(seed + 1).nextDouble();
        Mask.TopMagnitude mask = new Mask.TopMagnitude(density);
        FakeWindows windows = FakeWindows.of(row, new float[n], new float[n], delta);
        long[] wanted = mask.ranks(n);
        if (wanted.length > 0) {
            mask.found(MagnitudeRanks.of(windows, new int[] {2}, List.of(wanted))[0]);
        }
        mask.begin();
        float[] kept = new float[n];
        for (int first = 0; first < n; first += row) {
            float[] window = Arrays.copyOfRange(delta, first, first + row);
            mask.apply(window, first, row);
            for (int i = 0; i < row; i++) {
                kept[first + i] = window[i] + 0f; // -0 is 0
            }
        }

        float[] due = new float[n];
        IntStream.range(0, n)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -Math.abs(delta[i])))
                .limit(Math.max(1, (long) Math.floor(density * n)))
                .forEach(i -> due[i] = delta[i]);
        assertThat(Arrays.equals(kept, due)).as("seed %s", seed).isTrue();
        assertThat(mask.nonZero())
                .isEqualTo(IntStream.range(0, n).filter(i -> due[i] != 0).count());
    }

    /** Large enough to be sampled: as the sample says, and where every window that it has is unlike the others. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ranksOfLargeTensorsAreThoseOfTheSortedMagnitudes(boolean fair) {
        int row = 2048;
        int n = row * 512; // every fourth window is sampled
        Random random = new Random(9);
        float[] base = new float[n];
        float[] other = new float[n];
        for (int i = 0; i < n; i++) {
            base[i] = (float) random.nextGaussian();
            float change = (float) random.nextGaussian() * (fair || i / row % 4 == 0 ? 0.01f : 0.1f);
            other[i] = base[i] + change;
        }
        double[] magnitudes = IntStream.range(0, n)
                .mapToDouble(i -> Math.abs(other[i] - base[i]))
                .sorted()
                .toArray();
        long[] ranks = {0, n / 100, n / 2, n - 5000, n - 1};

        OrderStatistics.Rank[] found =
                MagnitudeRanks.of(FakeWindows.of(row, base, other), new int[] {1}, List.of(ranks))[0];

        for (int r = 0; r < ranks.length; r++) {
            double due = magnitudes[(int) ranks[r]];
            assertThat((double) found[r].value()).isEqualTo(due);
            assertThat(found[r].below())
                    .isEqualTo(Arrays.stream(magnitudes).filter(x -> x < due).count());
            assertThat(found[r].equal())
                    .isEqualTo(Arrays.stream(magnitudes).filter(x -> x == due).count());
        }
    }

    @RepeatedTest(20)
    void rowsAreRankedAsAStableSortRanksThem(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        int m = 1 + new Random(seed).nextInt(700);
        float[] values = values(seed, m + 3);

        int[] order = new RowRanks(m).order(values, 3);

        int[] due = IntStream.range(0, m)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> Math.abs(values[3 + i])))
                .mapToInt(i -> i)
                .toArray();
        assertThat(order).as("seed %s", seed).isEqualTo(due);
    }

    @Test
    void randomNumbersAreUniformAndBelongToTheirNames() {
        long key = CounterRandom.key(1, "model", "tensor");
        int[] counts = new int[16];
        for (int i = 0; i < 160_000; i++) {
            counts[(int) (CounterRandom.bits(key, i) >>> 49)]++;
        }
        double chi = 0;
        for (int count : counts) {
            chi += Math.pow(count - 10_000, 2) / 10_000;
        }
        assertThat(chi).as("chi squared of 15 degrees").isBetween(2.0, 40.0);
        assertThat(CounterRandom.key(1, "model", "tensor")).isEqualTo(key);
        assertThat(CounterRandom.key(2, "model", "tensor")).isNotEqualTo(key);
        assertThat(CounterRandom.key(1, "modelt", "ensor")).isNotEqualTo(key);
        // These numbers are part of what a seed means: they may not change.
        assertThat(CounterRandom.bits(key, 0)).isEqualTo(5027254221208653L);
        assertThat(CounterRandom.bits(key, 1L << 40)).isEqualTo(6941995983871676L);
    }
}
