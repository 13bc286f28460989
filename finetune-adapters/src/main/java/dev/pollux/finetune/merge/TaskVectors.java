package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.OrderStatistics;
import dev.pollux.internal.math.SignVotes;
import dev.pollux.tensor.TensorSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The common calculation of all methods on differences from a base; see {@link TaskSum} for its formulas. */
final class TaskVectors {

    private static final double ZERO_SUM = 1e-8;
    private static final double ZERO_NORM = 1e-7;

    /** Maximum elements of a tensor for which a mask of one bit per element is stored. */
    private static final long MAX_NOTED = 1 << 26;

    private final double[] weights; // (n)
    private final List<Mask> masks; // (n)
    private final TaskSum how;
    private float[] sum = new float[0]; // of a window: Σ D_i
    private float[] size = new float[0]; // Σ |D_i|
    private float[] weightSum = new float[0]; // Σ w_i·sign(D_i)
    private float[] weightSize = new float[0]; // Σ w_i·|sign(D_i)|

    TaskVectors(List<Double> weights, List<Mask> masks, TaskSum how) {
        this.weights = Weights.array(weights);
        this.masks = new ArrayList<>();
        masks.forEach(mask -> this.masks.add(mask.keepsAll() ? new Mask.All() : mask));
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

    /** Finds the ranks for all masks together, since each search reads the base again. */
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
                : MagnitudeRanks.of(in, sources.stream().mapToInt(i -> i).toArray(), ranks);
        for (int s = 0; s < found.length; s++) {
            masks.get(sources.get(s) - 1).found(found[s]);
        }
    }

    private double divisor() {
        double sum = Arrays.stream(weights).sum();
        return how.normalize() && Math.abs(sum) >= ZERO_SUM ? sum : 1;
    }

    /**
     * Multiplies each factor by ‖δ‖₁ / ‖kept δ‖₁; the kept elements are stored as a bit mask if there is room and applying the
     * mask again is costly.
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
                (x, first, count) -> {
                    for (int i : thinned) {
                        delta[0] = Vectors.subtract(x[i + 1], x[0], count, delta[0]);
                        whole[i] += Kernels.BEST.magnitude(delta[0], 0, count);
                        masks.get(i).apply(delta[0], first, count);
                        left[i] += Kernels.BEST.magnitude(delta[0], 0, count);
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
        float[][] delta = new float[1][];
        float lambda = (float) (how.electSigns() ? how.lambda() : how.lambda() / divisor());
        masks.forEach(Mask::begin);
        in.pass((x, first, count) -> {
            begin(count);
            for (int i = 0; i < n; i++) {
                delta[0] = Vectors.subtract(x[i + 1], x[0], count, delta[0]);
                masks.get(i).apply(delta[0], first, count);
                vote(delta[0], (float) factors[i], (float) weights[i], count);
            }
            elect(count);
            Kernels.BEST.addTo(x[0], lambda, sum, size, 0, count);
            out.put(size, count);
        });
        out.fact(
                "nonzero",
                masks.stream()
                        .map(mask -> String.format(Locale.ROOT, "%.4f", (double) mask.nonZero() / in.elements()))
                        .collect(Collectors.joining(" ")));
    }

    private void begin(int count) {
        sum = Vectors.zeros(sum, count);
        size = Vectors.zeros(size, count);
        weightSum = Vectors.zeros(weightSum, how.electSigns() && how.normalize() ? count : 0);
        weightSize = Vectors.zeros(weightSize, weightSum.length);
    }

    private void vote(float[] delta, float factor, float weight, int count) {
        if (!how.electSigns()) {
            Kernels.BEST.add(delta, factor, sum, 0, count);
        } else if (how.normalize()) {
            Kernels.BEST.vote(delta, factor, weight, votes(), 0, count);
        } else {
            Kernels.BEST.vote(delta, factor, sum, size, 0, count);
        }
    }

    private SignVotes votes() {
        return new SignVotes(sum, size, weightSum, weightSize);
    }

    /*
     * With the elected sign M = sign(Σ D), the sum over the models of that sign is (Σ D + M·Σ |D|)/2. So is the sum of their
     * weights.
     */
    private void elect(int count) {
        if (how.electSigns() && how.normalize()) {
            Kernels.BEST.electMean(votes(), 0, count);
        } else if (how.electSigns()) {
            Kernels.BEST.elect(sum, size, 0, count);
        }
    }
}
