package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/** Arcee fusion calculated as it is written down, in doubles: elements far from the threshold must agree. */
final class ImportanceCheck {

    private static final double TOLERANCE = 1e-6;

    private ImportanceCheck() {}

    static void check(GoldenMerge merge, String name, float[] ours, float[] theirs) {
        float[] base = merge.floats(merge.baseModel(), name);
        String other = MergekitYaml.read(merge.folder().resolve("config.yml")).slices().get(0).inputs().stream()
                .map(input -> input.model().model())
                .filter(model -> !model.equals(merge.baseModel()))
                .findFirst()
                .orElseThrow();
        float[] values = merge.floats(other, name);
        var shape = merge.ours().info(name).shape();
        int row = shape.get(shape.size() - 1).intValue();
        double[] importance = importance(values, base, row);
        double[] sorted = importance.clone();
        Arrays.sort(sorted);
        double threshold = quantile(sorted, 0.5) + 1.5 * (quantile(sorted, 0.75) - quantile(sorted, 0.25));
        double band = merge.expected().path("importance_band").asDouble() * threshold;
        int undecided = 0;
        for (int i = 0; i < ours.length; i++) {
            if (Math.abs(importance[i] - threshold) > band) {
                float exact = importance[i] >= threshold ? values[i] : base[i];
                assertThat((double) Math.abs(ours[i] - exact))
                        .as("%s[%s]", name, i)
                        .isLessThanOrEqualTo(TOLERANCE);
                assertThat((double) Math.abs(ours[i] - theirs[i]))
                        .as("%s[%s]", name, i)
                        .isLessThanOrEqualTo(TOLERANCE);
            } else if (values[i] != base[i]) {
                undecided++;
            }
        }
        assertThat(undecided).as("few elements lie at the threshold").isLessThan(ours.length / 10 + 2);
    }

    private static double quantile(double[] sorted, double q) {
        return sorted[(int) Math.floor(q * (sorted.length - 1))];
    }

    private static double[] importance(float[] a, float[] b, int row) {
        double[] importance = new double[a.length];
        for (int r = 0; r < a.length; r += row) {
            double sumA = 0;
            double sumB = 0;
            for (int j = r; j < r + row; j++) {
                sumA += Math.exp(a[j]);
                sumB += Math.exp(b[j]);
            }
            double divergence = 0;
            for (int j = r; j < r + row; j++) {
                double p = Math.exp(a[j]) / sumA + 1e-8;
                double q = Math.exp(b[j]) / sumB + 1e-8;
                divergence += p * Math.log(p / q);
            }
            for (int j = r; j < r + row; j++) {
                importance[j] = Math.abs((double) a[j] - b[j]) * divergence;
            }
        }
        return importance;
    }
}
