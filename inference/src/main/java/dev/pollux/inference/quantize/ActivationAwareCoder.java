package dev.pollux.inference.quantize;

import dev.pollux.inference.internal.layerwise.InputMoments;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;

/**
 * Codes matrices that read the same inputs, with scales of these inputs (Lin et al., "AWQ: Activation-aware Weight Quantization
 * for LLM Compression and Acceleration", arXiv:2306.00978). <em>Immutable, thread-safe.</em>
 */
final class ActivationAwareCoder {

    /*
     * With inputs x, m_j = mean |x_j|, and G = Σ xxᵀ:
     *
     *   σ_j  = m_j^α / √(max_j m_j^α · min_j m_j^α)     α in 0, 0.05, … 0.95; m_j^α at least 1e-4
     *   Ŵ    = Q(W·diag σ)·diag σ⁻¹                     what the model computes, with x / σ in place of x
     *   e(α) = tr((Ŵ − W) G (Ŵ − W)ᵀ)                   the squared error of outputs on all tokens
     *
     * α is chosen with Q = rounding to nearest on some rows of all matrices, then held against α = 0 on all rows. So rounding with the
     * chosen scales is never worse than rounding without. Then each row gets the better of two codings of its scaled weights:
     * rounding, and the search of scales and zero points weighted by the diagonal of G.
     *
     * Where nothing absorbs scales, α is 0. The search of ranges of the paper (clipping) is part of the search of zero points.
     */

    private static final int STEPS = 20;
    private static final double LEAST = 1e-4;
    private static final int SAMPLED_ROWS = 128;

    private final OutputError error;
    private final double[] diagonal; // (K), of G
    private final double[] scales; // (K)

    private ActivationAwareCoder(OutputError error, double[] diagonal, double[] scales) {
        this.error = error;
        this.diagonal = diagonal;
        this.scales = scales;
    }

    /** Chooses scales for matrices that read the same inputs; without a fold they are 1. */
    static ActivationAwareCoder of(
            InputMoments moments, Optional<ScaleFold> fold, List<Target> targets, QuantizationRun run) {
        OutputError error = new OutputError(moments.gram());
        int width = moments.gram().length;
        double[] diagonal = new double[width];
        Arrays.setAll(diagonal, j -> moments.gram()[j][j] == 0 ? 1 : moments.gram()[j][j]);
        double[] ones = new double[width];
        Arrays.fill(ones, 1);
        double[] chosen = fold.map(found -> new Search(error, targets, run).best(magnitudes(moments, found), ones))
                .orElse(ones);
        return new ActivationAwareCoder(error, diagonal, chosen);
    }

    /**
     * A matrix with a reader of its rows.
     *
     * @param coding reads the rows of the plan
     */
    record Target(MatrixPlan plan, MatrixCoding coding) {}

    /** Mean |x_j|, and of columns with one scale their mean, (K). */
    private static double[] magnitudes(InputMoments moments, ScaleFold fold) {
        int[] source = fold.source();
        double[] sums = new double[Arrays.stream(source).max().orElse(-1) + 1];
        double[] counts = new double[sums.length];
        for (int j = 0; j < source.length; j++) {
            sums[source[j]] += moments.magnitudes()[j] / moments.tokens();
            counts[source[j]]++;
        }
        double[] means = new double[source.length];
        Arrays.setAll(means, j -> sums[source[j]] / counts[source[j]]);
        return means;
    }

    /** σ, (K); 1 for α = 0. */
    static double[] scales(double[] magnitudes, double alpha) {
        double[] scales = new double[magnitudes.length];
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (int j = 0; j < scales.length; j++) {
            scales[j] = Math.max(LEAST, Math.pow(magnitudes[j], alpha));
            least = Math.min(least, scales[j]);
            most = Math.max(most, scales[j]);
        }
        double middle = Math.sqrt(least * most);
        for (int j = 0; j < scales.length; j++) {
            scales[j] /= middle;
        }
        return scales;
    }

    private record Search(OutputError error, List<Target> targets, QuantizationRun run) {

        double[] best(double[] magnitudes, double[] ones) {
            List<List<float[]>> samples = targets.stream()
                    .map(target -> target.coding().sampled(SAMPLED_ROWS))
                    .toList();
            List<Future<Double>> losses = new ArrayList<>();
            for (int step = 0; step < STEPS; step++) {
                double[] scales = scales(magnitudes, (double) step / STEPS);
                losses.add(run.workers().submit(() -> loss(samples, scales)));
            }
            int best = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int step = 0; step < STEPS; step++) {
                double loss = run.workers().await(losses.get(step), () -> {});
                if (loss < least) {
                    best = step;
                    least = loss;
                }
            }
            double[] scales = scales(magnitudes, (double) best / STEPS);
            return best > 0 && loss(scales) < loss(ones) ? scales : ones;
        }

        /** The error on some rows. */
        private double loss(List<List<float[]>> samples, double[] scales) {
            double sum = 0;
            for (int i = 0; i < targets.size(); i++) {
                for (float[] rows : samples.get(i)) {
                    sum += loss(targets.get(i).plan(), rows, scales);
                }
            }
            return sum;
        }

        /** The error on all rows. */
        private double loss(double[] scales) {
            return targets.stream()
                    .mapToDouble(target -> target.coding().sum(rows -> loss(target.plan(), rows, scales)))
                    .sum();
        }

        private double loss(MatrixPlan plan, float[] values, double[] scales) {
            CodedRows coded = CodedRows.of(
                    scaled(values, scales), scales.length, plan.format(), new RoundToNearest(plan.symmetric()));
            return Arrays.stream(errors(error, values, coded, scales)).sum();
        }
    }

    /** σ, (K). */
    double[] scales() {
        return scales.clone();
    }

    /**
     * Codes rows.
     *
     * @param values (rows, K)
     * @return the codes of the scaled rows
     */
    CodedRows code(float[] values, MatrixPlan plan) {
        float[] scaled = scaled(values, scales);
        double[] importance = new double[scales.length];
        Arrays.setAll(importance, j -> diagonal[j] / (scales[j] * scales[j]));
        CodedRows best = CodedRows.of(scaled, scales.length, plan.format(), new RoundToNearest(plan.symmetric()));
        CodedRows searched = CodedRows.of(scaled, scales.length, plan.format(), MatrixCoding.search(plan), importance);
        double[] least = errors(error, values, best, scales);
        double[] errors = errors(error, values, searched, scales);
        for (int row = 0; row < least.length; row++) {
            if (errors[row] < least[row]) {
                best.take(row, searched);
            }
        }
        best.measure(values, scales);
        return best;
    }

    /** δGδᵀ of each row, (rows). */
    private static double[] errors(OutputError error, float[] values, CodedRows coded, double[] scales) {
        float[] differences = coded.dequantized(scales);
        for (int i = 0; i < differences.length; i++) {
            differences[i] -= values[i];
        }
        return error.of(differences);
    }

    private static float[] scaled(float[] values, double[] scales) {
        float[] scaled = new float[values.length];
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] = (float) (values[i] * scales[i % scales.length]);
        }
        return scaled;
    }
}
