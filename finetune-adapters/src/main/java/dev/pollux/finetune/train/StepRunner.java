package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/**
 * Runs optimizer steps. <em>Confined to one thread.</em>
 *
 * @param <B> a micro-batch
 */
abstract class StepRunner<B> implements AutoCloseable {

    private final Trainables trainables;
    private final TrainingOptions options;
    private final Map<String, OptimizerState> states = new LinkedHashMap<>();
    private final RunningReward running = new RunningReward();

    /**
     * A finished step.
     *
     * @param loss of all micro-batches
     * @param losses of each micro-batch, as it is added up
     * @param gradientNorm before it is bounded
     * @param metrics means over the micro-batches, by TRL's names
     */
    record Step(double loss, List<Double> losses, double gradientNorm, Map<String, Double> metrics) {}

    /**
     * How a micro-batch counts in its step.
     *
     * @param targets the trained tokens of the step
     * @param share the factor of its loss
     * @param number of the micro-batch, from 0
     */
    record Scale(double targets, double share, int number) {}

    /**
     * The loss of a micro-batch.
     *
     * @param metrics by TRL's names
     */
    record Found(double loss, Map<String, Double> metrics) {}

    StepRunner(Trainables trainables, TrainingOptions options) {
        this.trainables = trainables;
        this.options = options;
        trainables
                .parameters()
                .forEach(parameter ->
                        states.put(parameter.name(), new OptimizerState(options.optimizer(), parameter.shape())));
    }

    /** The optimizer's memory by the names of parameters. */
    final Map<String, OptimizerState> states() {
        return states;
    }

    final RunningReward running() {
        return running;
    }

    /** The number of trained tokens by which the loss of a step is divided if it is per token. */
    abstract double targets(B batch);

    /** The number of tokens that are read. */
    abstract long tokens(B batch);

    /** Whether losses are sums over tokens, over the number of tokens of the step; else they are averaged. */
    abstract boolean isPerToken();

    /** The loss of a micro-batch, whose gradients are added to those of the parameters. */
    abstract Found run(B batch, Scale scale, JobContext context);

    /** Hands the values of the parameters to the model. */
    abstract void refresh();

    /** The bytes of direct memory allocated so far. */
    abstract long allocated();

    /** Frees the model. */
    @Override
    public abstract void close();

    /**
     * A step.
     *
     * @param rate the learning rate of first factors
     */
    final Step step(List<B> batches, double rate, JobContext context) {
        Step step = gradients(batches, context);
        bound(step.gradientNorm());
        for (Parameter parameter : trainables.parameters()) {
            double own = isFirst(parameter) ? rate : rate * options.loraPlusRatio();
            double decay = parameter.kind().isBias() ? 0 : options.optimizer().weightDecay();
            Objects.requireNonNull(states.get(parameter.name()))
                    .step(parameter.values(), parameter.gradient(), own, decay);
        }
        refresh();
        return step;
    }

    /** LoRA+ raises the rates of second factors and of vectors. */
    private static boolean isFirst(Parameter parameter) {
        return parameter.kind() == Parameter.Kind.A || parameter.kind() == Parameter.Kind.WHOLE;
    }

    /** The gradients of a step, left in the parameters. */
    final Step gradients(List<B> batches, JobContext context) {
        trainables.parameters().forEach(Parameter::clearGradient);
        double targets = batches.stream().mapToDouble(this::targets).sum();
        List<Double> losses = new ArrayList<>();
        Map<String, Double> metrics = new LinkedHashMap<>();
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (B batch : batches) {
            double share = isPerToken() ? 1 : 1.0 / batches.size();
            Found found = run(batch, new Scale(targets, share, losses.size()), context);
            losses.add(found.loss() * share);
            found.metrics().forEach((name, value) -> {
                metrics.merge(name, value, Double::sum);
                counts.merge(name, 1, Integer::sum);
            });
        }
        metrics.replaceAll((name, sum) -> sum / counts.getOrDefault(name, 1));
        double loss = losses.stream().mapToDouble(Double::doubleValue).sum();
        return new Step(loss, losses, norm(), metrics);
    }

    /** The seed of dropout of a micro-batch; empty without dropout. */
    final OptionalLong dropout(int number) {
        if (trainables.dropout() == 0) {
            return OptionalLong.empty();
        }
        long step = states.values().iterator().next().step();
        return OptionalLong.of(mixed(mixed(options.seed(), step), number));
    }

    static long mixed(long seed, long number) {
        return new SplittableRandom(seed + 0x632BE59BD9B4E019L * (number + 1)).nextLong();
    }

    private double norm() {
        double sum = 0;
        for (Parameter parameter : trainables.parameters()) {
            for (float value : parameter.gradient()) {
                sum += (double) value * value;
            }
        }
        return Math.sqrt(sum);
    }

    private void bound(double norm) {
        double factor = options.maxGradientNorm() == 0 ? 1 : options.maxGradientNorm() / (norm + 1e-6);
        if (factor < 1) {
            for (Parameter parameter : trainables.parameters()) {
                float[] gradient = parameter.gradient();
                for (int i = 0; i < gradient.length; i++) {
                    gradient[i] *= (float) factor;
                }
            }
        }
    }
}
