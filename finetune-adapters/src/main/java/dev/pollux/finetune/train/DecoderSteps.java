package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.TokenMeasures;
import dev.pollux.finetune.internal.training.TokenSeeds;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Runs optimizer steps of a decoder. <em>Confined to one thread.</em> */
final class DecoderSteps extends StepRunner<MicroBatch> {

    /*
     * A step: for each micro-batch, its sequences are run in rows of tokens, scored, and compared by the objective, whose
     * gradients by log p go backwards through the rows. Where a gradient is known before the loss, as that of a mean of log p, each
     * row goes backwards at once, so the activations of one row are in memory. Gradients add up over the micro-batches. A loss per token is divided by
     * the number of trained tokens of the whole step, others by the number of micro-batches, so the same rows give the same
     * gradients however they are divided into micro-batches.
     */

    /** The most tokens of a row, unless a sequence is longer: enough for products at full speed, few to keep for gradients. */
    static final int ROW = 512;

    private final ModelPair models;
    private final Objective objective;
    private final Optional<Teacher> teacher;

    DecoderSteps(ModelPair models, Trainables trainables, Objective objective, TrainingOptions options) {
        this(models, trainables, objective, options, Optional.empty());
    }

    /** The same with a teacher, which it closes. */
    DecoderSteps(
            ModelPair models,
            Trainables trainables,
            Objective objective,
            TrainingOptions options,
            Optional<Teacher> teacher) {
        super(trainables, options);
        this.teacher = teacher;
        this.models = models;
        this.objective = objective;
    }

    @Override
    double targets(MicroBatch batch) {
        return batch.targets();
    }

    @Override
    long tokens(MicroBatch batch) {
        return batch.tokens();
    }

    @Override
    boolean isPerToken() {
        return objective.isPerToken();
    }

    @Override
    void refresh() {
        models.refresh();
    }

    @Override
    long allocated() {
        return models.allocated();
    }

    @Override
    public void close() {
        models.close();
        teacher.ifPresent(Teacher::close);
    }

    /** As in TRL, preferences are trained without dropout. */
    private OptionalLong seed(int number) {
        return objective.isPerToken() ? dropout(number) : OptionalLong.empty();
    }

    /** The loss of a micro-batch without gradients. */
    BatchLoss evaluate(MicroBatch batch, JobContext context) {
        ScoredBatch scored = eachRow(batch, OptionalLong.empty(), OptionalDouble.empty(), context);
        return objective.loss(scored, (double) batch.targets(), copy());
    }

    private RunningReward copy() {
        RunningReward copy = new RunningReward();
        copy.restore(running().mean(), running().count());
        return copy;
    }

    @Override
    Found run(MicroBatch batch, Scale scale, JobContext context) {
        double share = scale.share();
        double targets = scale.targets();
        OptionalDouble gradient = objective.gradient(targets);
        if (gradient.isPresent()) {
            OptionalDouble shared = OptionalDouble.of(gradient.getAsDouble() * share);
            ScoredBatch scored = eachRow(batch, seed(scale.number()), shared, context);
            BatchLoss loss = objective.loss(scored, targets, running());
            return new Found(loss.loss(), loss.metrics());
        }
        List<Chunk> chunks = chunks(batch.sequences(), seed(scale.number()), context);
        try {
            List<ScoredSequence> scored = new ArrayList<>();
            for (Chunk chunk : chunks) {
                scored.addAll(scored(chunk.sequences(), chunk.measures(), chunk.rows(), context));
            }
            BatchLoss loss = objective.loss(all(batch, scored, context), targets, running());
            int at = 0;
            for (Chunk chunk : chunks) {
                int end = at + chunk.sequences().size();
                TokenSeeds seeds = new TokenSeeds(
                        joined(loss.gradients().subList(at, end), share),
                        joined(loss.divergences().subList(at, end), share));
                models.backward(chunk.activations(), seeds, context);
                at = end;
            }
            return new Found(loss.loss(), loss.metrics());
        } finally {
            chunks.forEach(Chunk::close);
        }
    }

    /** Scores rows one after the other; where the gradient of each token of a completion is known, a row goes backwards at once. */
    private ScoredBatch eachRow(MicroBatch batch, OptionalLong seed, OptionalDouble gradient, JobContext context) {
        List<ScoredSequence> scored = new ArrayList<>();
        int number = 0;
        for (List<Sequence> row : rows(batch.sequences())) {
            try (Chunk chunk = chunk(row, seed, number++, gradient, context)) {
                if (gradient.isPresent()) {
                    models.backward(chunk.activations(), context);
                }
                scored.addAll(scored(row, chunk.measures(), chunk.rows(), context));
            }
        }
        return all(batch, scored, context);
    }

    /** Values of sequences one after the other, times a factor. */
    private static float[] joined(List<double[]> parts, double share) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (double[] part : parts) {
            for (double value : part) {
                all[at++] = (float) (value * share);
            }
        }
        return all;
    }

    // Scores

    /** Sequences in one row of tokens. */
    private record Chunk(List<Sequence> sequences, TokenBatch rows, Activations activations, TokenMeasures measures)
            implements AutoCloseable {
        @Override
        public void close() {
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

    static List<List<Sequence>> rows(List<Sequence> sequences) {
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
                chunks.add(chunk(row, seed, chunks.size(), OptionalDouble.empty(), context));
            }
            return chunks;
        } catch (RuntimeException | Error e) {
            chunks.forEach(Chunk::close);
            throw e;
        }
    }

    /** @param gradient of each token of a completion if it is known; then the head runs forwards and backwards at once */
    private Chunk chunk(
            List<Sequence> row, OptionalLong seed, int number, OptionalDouble gradient, JobContext context) {
        TokenBatch tokens = tokens(row);
        OptionalLong dropout =
                seed.isPresent() ? OptionalLong.of(mixed(seed.getAsLong(), number)) : OptionalLong.empty();
        Activations activations = models.forward(tokens, dropout, context);
        try {
            if (teacher.isPresent()) {
                activations.taught(teacher.get().of(row, context));
            }
            TokenMeasures measures = gradient.isPresent()
                    ? models.measures(activations, seeds(row, gradient.getAsDouble()), context)
                    : models.measures(activations, context);
            return new Chunk(row, tokens, activations, measures);
        } catch (RuntimeException | Error e) {
            activations.close();
            throw e;
        }
    }

    private TokenSeeds seeds(List<Sequence> row, double gradient) {
        List<double[]> each = new ArrayList<>();
        for (Sequence one : row) {
            boolean[] completion = completion(one);
            double[] own = new double[completion.length];
            for (int i = 0; i < own.length; i++) {
                own[i] = completion[i] ? gradient : 0;
            }
            each.add(own);
        }
        float[] all = joined(each, 1);
        return new TokenSeeds(all, new float[all.length]);
    }

    private TokenBatch tokens(List<Sequence> row) {
        return objective.scoresTexts()
                ? TokenBatch.scored(row)
                : TokenBatch.of(row.stream().map(this::scoring).toList());
    }

    /** With the sequences of a batch, those that the objective needs besides. */
    private ScoredBatch all(MicroBatch batch, List<ScoredSequence> scored, JobContext context) {
        List<ScoredSequence> mismatched = new ArrayList<>();
        if (objective.needsMismatched()) {
            for (List<Sequence> row : rows(batch.mismatched())) {
                TokenBatch tokens = tokens(row);
                try (Activations activations = models.forward(tokens, OptionalLong.empty(), context)) {
                    mismatched.addAll(scored(row, models.measures(activations, context), tokens, context));
                }
            }
        }
        return new ScoredBatch(scored, batch.desirable(), mismatched, batch.advantages(), batch.margins(), List.of());
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
        if (objective.scoresTexts()) {
            return new boolean[] {true};
        }
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
