package dev.pollux.finetune.evaluate;

import dev.pollux.finetune.evaluate.AnswerReport.ScoredAnswer;
import dev.pollux.inference.calibration.ModelComparison.Interval;
import dev.pollux.internal.math.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** Means of answers with their intervals. */
final class ClusterBootstrap {

    /*
     * Questions about one document are alike, so documents are drawn with replacement, each with all its questions; the interval
     * has the percentiles of the means (Davison and Hinkley, Bootstrap Methods and their Application, section 3.8). If all
     * values are 0, or all are 1, every draw has the same mean; then the interval is Wilson's (1927), which does not shrink to
     * a point.
     */

    private static final int DRAWS = 10_000;
    private static final double TAIL = 0.025;
    private static final double NORMAL = 1.959963984540054; // 97.5 % of a standard normal distribution are below it
    private static final long SEED = 1;

    private ClusterBootstrap() {}

    /** The mean of a measure; empty for no answers. */
    static Optional<Interval> of(List<ScoredAnswer> answers, ToDoubleFunction<ScoredAnswer> measure) {
        if (answers.isEmpty()) {
            return Optional.empty();
        }
        Map<String, List<Double>> documents = new LinkedHashMap<>();
        answers.forEach(one -> documents
                .computeIfAbsent(one.question().document(), key -> new ArrayList<>())
                .add(measure.applyAsDouble(one)));
        double mean = answers.stream().mapToDouble(measure).average().orElse(0);
        if (mean == 0 || mean == 1) {
            return Optional.of(wilson(mean, answers.size()));
        }
        double[] sums = documents.values().stream()
                .mapToDouble(values ->
                        values.stream().mapToDouble(Double::doubleValue).sum())
                .toArray();
        int[] counts = documents.values().stream().mapToInt(List::size).toArray();
        double[] means = new double[DRAWS];
        long key = CounterRandom.key(SEED, "answers");
        for (int draw = 0; draw < DRAWS; draw++) {
            double sum = 0;
            long drawn = 0;
            for (int i = 0; i < sums.length; i++) {
                int at = (int) (CounterRandom.bits(key, (long) draw * sums.length + i) * 0x1p-53 * sums.length);
                sum += sums[at];
                drawn += counts[at];
            }
            means[draw] = sum / drawn;
        }
        Arrays.sort(means);
        int tail = (int) (TAIL * DRAWS);
        return Optional.of(new Interval(mean, means[tail], means[DRAWS - 1 - tail]));
    }

    private static Interval wilson(double share, int count) {
        double square = NORMAL * NORMAL / count;
        double middle = (share + square / 2) / (1 + square);
        double half = NORMAL / (1 + square) * Math.sqrt(share * (1 - share) / count + square / (4 * count));
        return new Interval(share, share == 0 ? 0 : middle - half, share == 1 ? 1 : middle + half);
    }
}
