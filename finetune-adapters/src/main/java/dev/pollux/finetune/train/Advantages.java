package dev.pollux.finetune.train;

import java.util.Arrays;

/** How much better each completion is than the others of its prompt. */
final class Advantages {

    private static final double SMALL = 1e-4;

    private Advantages() {}

    /**
     * The advantages of completions.
     *
     * @param rewards those of a prompt next to each other
     * @param group completions of a prompt, at least 2
     */
    static double[] of(double[] rewards, int group, GrpoOptions.Scaling scaling) {
        double[] advantages = new double[rewards.length];
        double all = deviation(rewards);
        for (int from = 0; from < rewards.length; from += group) {
            double[] own = Arrays.copyOfRange(rewards, from, from + group);
            double mean = Arrays.stream(own).average().orElse(0);
            double factor = switch (scaling) {
                case GROUP -> 1 / (deviation(own) + SMALL);
                case BATCH -> 1 / (all + SMALL);
                case NONE -> 1;
                case LEAVE_ONE_OUT -> group / (group - 1.0);
            };
            for (int i = 0; i < group; i++) {
                advantages[from + i] = (own[i] - mean) * factor;
            }
        }
        return advantages;
    }

    /** The standard deviation of a sample. */
    static double deviation(double[] values) {
        double mean = Arrays.stream(values).average().orElse(0);
        double sum = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        return values.length < 2 ? 0 : Math.sqrt(sum / (values.length - 1));
    }
}
