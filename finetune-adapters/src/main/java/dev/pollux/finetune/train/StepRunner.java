package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.TokenMeasures;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/** Runs optimizer steps. <em>Confined to one thread.</em> */
final class StepRunner {

    /*
     * A step: for each micro-batch, its sequences are run in rows of tokens, scored, and compared by the objective, whose
     * gradients by log p go backwards through the rows. Gradients add up over the micro-batches. A loss per token is divided by
     * the number of trained tokens of the whole step, others by the number of micro-batches, so the same rows give the same
     * gradients however they are divided into micro-batches.
     */

    /** The most tokens of a row, unless a sequence is longer. */
    static final int ROW = 2048;

    private final ModelPair models;
    private final Trainables trainables;
    private final Objective objective;
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

    StepRunner(ModelPair models, Trainables trainables, Objective objective, TrainingOptions options) {
        this.models = models;
        this.trainables = trainables;
        this.objective = objective;
        this.options = options;
        trainables
                .parameters()
                .forEach(parameter ->
                        states.put(parameter.name(), new OptimizerState(options.optimizer(), parameter.shape())));
    }

    /** The optimizer's memory by the names of parameters. */
    Map<String, OptimizerState> states() {
        return states;
    }

    RunningReward running() {
        return running;
    }

    /**
     * A step.
     *
     * @param rate the learning rate of first factors
     */
    Step step(List<MicroBatch> batches, double rate, JobContext context) {
        Step step = gradients(batches, context);
        bound(step.gradientNorm());
        for (Parameter parameter : trainables.parameters()) {
            double own = isFirst(parameter) ? rate : rate * options.loraPlusRatio();
            double decay = parameter.kind().isBias() ? 0 : options.optimizer().weightDecay();
            Objects.requireNonNull(states.get(parameter.name()))
                    .step(parameter.values(), parameter.gradient(), own, decay);
        }
        models.refresh();
        return step;
    }

    /** LoRA+ raises the rates of second factors and of vectors. */
    private static boolean isFirst(Parameter parameter) {
        return parameter.kind() == Parameter.Kind.A || parameter.kind() == Parameter.Kind.WHOLE;
    }

    /** The gradients of a step, left in the parameters. */
    Step gradients(List<MicroBatch> batches, JobContext context) {
        trainables.parameters().forEach(Parameter::clearGradient);
        double targets = batches.stream().mapToLong(MicroBatch::targets).sum();
        List<Double> losses = new ArrayList<>();
        Map<String, Double> metrics = new LinkedHashMap<>();
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (MicroBatch batch : batches) {
            double share = objective.isPerToken() ? 1 : 1.0 / batches.size();
            BatchLoss loss = run(batch, new Scale(targets, share, losses.size()), context);
            losses.add(loss.loss() * share);
            loss.metrics().forEach((name, value) -> {
                metrics.merge(name, value, Double::sum);
                counts.merge(name, 1, Integer::sum);
            });
        }
        metrics.replaceAll((name, sum) -> sum / counts.getOrDefault(name, 1));
        double loss = losses.stream().mapToDouble(Double::doubleValue).sum();
        return new Step(loss, losses, norm(), metrics);
    }

    /**
     * How a micro-batch counts in its step.
     *
     * @param targets the trained tokens of the step
     * @param share the factor of its loss
     * @param number of the micro-batch, from 0
     */
    private record Scale(double targets, double share, int number) {}

    /** The seed of a micro-batch. As in TRL, preferences are trained without dropout. */
    private OptionalLong dropout(int number) {
        if (trainables.dropout() == 0 || !objective.isPerToken()) {
            return OptionalLong.empty();
        }
        long step = states.values().iterator().next().step();
        return OptionalLong.of(mixed(mixed(options.seed(), step), number));
    }

    private static long mixed(long seed, long number) {
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

    /** The loss of a micro-batch without gradients. */
    BatchLoss evaluate(MicroBatch batch, JobContext context) {
        List<Chunk> chunks = chunks(batch.sequences(), OptionalLong.empty(), context);
        try {
            return objective.loss(scored(batch, chunks, context), (double) batch.targets(), copy());
        } finally {
            chunks.forEach(Chunk::close);
        }
    }

    private RunningReward copy() {
        RunningReward copy = new RunningReward();
        copy.restore(running.mean(), running.count());
        return copy;
    }

    private BatchLoss run(MicroBatch batch, Scale scale, JobContext context) {
        double share = scale.share();
        double targets = scale.targets();
        List<Chunk> chunks = chunks(batch.sequences(), dropout(scale.number()), context);
        try {
            BatchLoss loss = objective.loss(scored(batch, chunks, context), targets, running);
            int at = 0;
            for (Chunk chunk : chunks) {
                float[] gradients = new float[chunk.rows().targets().length];
                int from = 0;
                for (int i = 0; i < chunk.sequences().size(); i++) {
                    for (double value : loss.gradients().get(at++)) {
                        gradients[from++] = (float) (value * share);
                    }
                }
                models.backward(chunk.activations(), gradients, context);
            }
            return loss;
        } finally {
            chunks.forEach(Chunk::close);
        }
    }

    // Scores

    /** Sequences in one row of tokens. */
    private record Chunk(List<Sequence> sequences, TokenBatch rows, Activations activations, TokenMeasures measures) {
        void close() {
            activations.close();
        }
    }

    /** The sequences as they are scored: with their prompts if the objective needs them. */
    private Sequence scoring(Sequence one) {
        if (!objective.scoresPrompt()) {
            return one;
        }
        boolean[] all = new boolean[one.ids().length];
        Arrays.fill(all, true);
        return new Sequence(one.ids(), all);
    }

    private static List<List<Sequence>> rows(List<Sequence> sequences) {
        List<List<Sequence>> rows = new ArrayList<>();
        int length = 0;
        for (Sequence one : sequences) {
            if (rows.isEmpty() || length + one.ids().length > ROW) {
                rows.add(new ArrayList<>());
                length = 0;
            }
            rows.get(rows.size() - 1).add(one);
            length += one.ids().length;
        }
        return rows;
    }

    private List<Chunk> chunks(List<Sequence> sequences, OptionalLong seed, JobContext context) {
        List<Chunk> chunks = new ArrayList<>();
        try {
            for (List<Sequence> row : rows(sequences)) {
                TokenBatch tokens = tokens(row);
                int number = chunks.size();
                OptionalLong dropout =
                        seed.isPresent() ? OptionalLong.of(mixed(seed.getAsLong(), number)) : OptionalLong.empty();
                Activations activations = models.forward(tokens, dropout, context);
                try {
                    chunks.add(new Chunk(row, tokens, activations, models.measures(activations, context)));
                } catch (RuntimeException | Error e) {
                    activations.close();
                    throw e;
                }
            }
            return chunks;
        } catch (RuntimeException | Error e) {
            chunks.forEach(Chunk::close);
            throw e;
        }
    }

    private TokenBatch tokens(List<Sequence> row) {
        return TokenBatch.of(row.stream().map(this::scoring).toList());
    }

    private ScoredBatch scored(MicroBatch batch, List<Chunk> chunks, JobContext context) {
        List<ScoredSequence> scored = new ArrayList<>();
        for (Chunk chunk : chunks) {
            scored.addAll(scored(chunk.sequences(), chunk.measures(), chunk.rows(), context));
        }
        List<ScoredSequence> mismatched = new ArrayList<>();
        if (objective.needsMismatched()) {
            for (List<Sequence> row : rows(batch.mismatched())) {
                TokenBatch tokens = tokens(row);
                try (Activations activations = models.forward(tokens, OptionalLong.empty(), context)) {
                    mismatched.addAll(scored(row, models.measures(activations, context), tokens, context));
                }
            }
        }
        return new ScoredBatch(scored, batch.desirable(), mismatched, batch.advantages(), List.of());
    }

    private List<ScoredSequence> scored(
            List<Sequence> row, TokenMeasures measures, TokenBatch tokens, JobContext context) {
        TokenMeasures compared = objective.needsReference() ? models.reference(tokens, context) : measures;
        List<ScoredSequence> scored = new ArrayList<>();
        int first = 0;
        for (Sequence one : row) {
            boolean[] completion = completion(one);
            double[] reference = objective.needsReference()
                    ? ScoredSequence.part(compared.logProbabilities(), first, completion.length)
                    : new double[0];
            scored.add(ScoredSequence.of(measures, first, completion, reference));
            first += completion.length;
        }
        return scored;
    }

    /** Of the scored tokens, which belong to the completion. */
    private boolean[] completion(Sequence one) {
        Sequence all = scoring(one);
        boolean[] completion = new boolean[all.targets()];
        int at = 0;
        for (int i = 1; i < one.ids().length; i++) {
            if (all.isTarget()[i]) {
                completion[at++] = one.isTarget()[i];
            }
        }
        return completion;
    }
}
