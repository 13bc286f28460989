package dev.pollux.merge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The calculation that all methods on differences from a base share; see {@link TaskSum} for its formulas. */
final class TaskVectors {

    private static final double ZERO_SUM = 1e-8;
    private static final double ZERO_NORM = 1e-7;

    /** Elements of a tensor for which a bit each is kept. */
    private static final long MAX_NOTED = 1 << 26;

    private final double[] weights; // (n)
    private final List<Mask> masks; // (n)
    private final TaskSum how;
    private final float[] positive = new float[Vectors.BLOCK]; // sums of what is above 0, or of everything
    private final float[] negative = new float[Vectors.BLOCK]; // minus the sums of what is below 0
    private final float[] positiveShare = new float[Vectors.BLOCK]; // weights of the models in each sum
    private final float[] negativeShare = new float[Vectors.BLOCK];
    private float[] result = new float[0]; // of a window

    TaskVectors(List<Double> weights, List<Mask> masks, TaskSum how) {
        this.weights = Weights.array(weights);
        this.masks = new ArrayList<>();
        masks.forEach(mask -> this.masks.add(mask.keepsAll() ? Mask.ALL : mask));
        this.how = how;
    }

    void merge(TensorWindows in, TensorSink out) {
        int n = weights.length;
        if (!how.electSigns() && masks.stream().allMatch(Mask::keepsAll)) {
            double factor = how.lambda() / divisor();
            double[] coefficients = new double[n];
            Arrays.setAll(coefficients, i -> weights[i] * factor);
            Vectors.combineDeltas(in, coefficients, out);
            return;
        }
        prepare(in);
        double[] factors = weights.clone();
        if (how.rescale()) {
            rescale(in, factors);
        }
        emit(in, out, factors);
    }

    /** Masks that need ranks find them together, since each would read the base again. */
    private void prepare(TensorWindows in) {
        List<Integer> sources = new ArrayList<>();
        List<long[]> ranks = new ArrayList<>();
        for (int i = 0; i < masks.size(); i++) {
            long[] wanted = masks.get(i).ranks(in.elements());
            if (wanted.length > 0) {
                sources.add(i + 1);
                ranks.add(wanted);
            }
            masks.get(i).prepare(in, i + 1);
        }
        OrderStatistics.Rank[][] found = sources.isEmpty()
                ? new OrderStatistics.Rank[0][]
                : OrderStatistics.ofMagnitudes(
                        in, sources.stream().mapToInt(i -> i).toArray(), ranks);
        for (int s = 0; s < found.length; s++) {
            masks.get(sources.get(s) - 1).found(found[s]);
        }
    }

    private double divisor() {
        double sum = Arrays.stream(weights).sum();
        return how.normalize() && Math.abs(sum) >= ZERO_SUM ? sum : 1;
    }

    /**
     * Multiplies each factor by ‖δ‖₁ / ‖kept δ‖₁; what was kept is noted, if there is room and it is costly to find out
     * again.
     */
    private void rescale(TensorWindows in, double[] factors) {
        int[] thinned = IntStream.range(0, factors.length)
                .filter(i -> !masks.get(i).keepsAll())
                .toArray();
        if (thinned.length == 0) {
            return;
        }
        boolean noted = in.elements() <= MAX_NOTED && masks.stream().anyMatch(Mask::isCostly);
        long[][] kept = new long[factors.length][noted ? (int) (in.elements() + 63 >>> 6) : 0];
        double[] whole = new double[factors.length];
        double[] left = new double[factors.length];
        float[][] delta = new float[1][];
        masks.forEach(Mask::begin);
        int[] wanted = IntStream.concat(IntStream.of(0), Arrays.stream(thinned).map(i -> i + 1))
                .toArray();
        in.pass(
                (x, at, first, count) -> {
                    for (int i : thinned) {
                        delta[0] = Vectors.subtract(x[i + 1], x[0], at, count, delta[0]);
                        whole[i] += Vectors.magnitude(delta[0], count);
                        masks.get(i).apply(delta[0], first, count);
                        left[i] += Vectors.magnitude(delta[0], count);
                        if (noted) {
                            Mask.Stored.note(delta[0], first, count, kept[i]);
                        }
                    }
                },
                wanted);
        for (int i : thinned) {
            factors[i] *= whole[i] < ZERO_NORM || left[i] < ZERO_NORM ? 1 : whole[i] / left[i];
            if (noted) {
                masks.set(i, Mask.Stored.of(kept[i]));
            }
        }
    }

    private void emit(TensorWindows in, TensorSink out, double[] factors) {
        int n = weights.length;
        float[][] deltas = new float[n][];
        long[] kept = new long[n];
        float lambda = (float) (how.electSigns() ? how.lambda() : how.lambda() / divisor());
        masks.forEach(Mask::begin);
        in.pass((x, at, first, count) -> {
            for (int i = 0; i < n; i++) {
                deltas[i] = Vectors.subtract(x[i + 1], x[0], at, count, deltas[i]);
                kept[i] += masks.get(i).apply(deltas[i], first, count);
            }
            result = Vectors.room(result, count);
            for (int from = 0; from < count; from += Vectors.BLOCK) {
                int some = Math.min(Vectors.BLOCK, count - from);
                if (how.electSigns()) {
                    elect(deltas, from, factors, some);
                } else {
                    Vectors.weigh(deltas, from, factors, positive, some);
                }
                Lanes.addTo(x[0], at + from, lambda, positive, result, from, some);
            }
            out.put(result, count);
        });
        out.fact(
                "nonzero",
                IntStream.range(0, n)
                        .mapToObj(i -> String.format(Locale.ROOT, "%.4f", (double) kept[i] / in.elements()))
                        .collect(Collectors.joining(" ")));
    }

    /*
     * The sum of the models with the majority's sign. What is above 0 and what is below are summed apart: the larger of the
     * two is the majority, and its sum is the one that is due.
     */
    private void elect(float[][] deltas, int from, double[] factors, int count) {
        Arrays.fill(positive, 0, count, 0);
        Arrays.fill(negative, 0, count, 0);
        for (int i = 0; i < factors.length; i++) {
            Lanes.split(deltas[i], from, (float) factors[i], positive, negative, count);
        }
        if (!how.normalize()) {
            Lanes.elect(positive, negative, count);
            return;
        }
        Arrays.fill(positiveShare, 0, count, 0);
        Arrays.fill(negativeShare, 0, count, 0);
        for (int i = 0; i < factors.length; i++) {
            Lanes.share(deltas[i], from, (float) factors[i], (float) weights[i], positiveShare, negativeShare, count);
        }
        Lanes.electMean(positive, negative, positiveShare, negativeShare, count);
    }
}
