package dev.pollux.finetune.train;

import dev.pollux.ModelExecutionException;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.train.LoraTrainer.Prepared;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One run of a trainer. <em>For one call.</em> */
final class TrainingRun {

    private final Prepared prepared;
    private final TrainingOptions options;
    private final @Nullable Path saved;
    private final Consumer<TrainingStep> listener;
    private final List<TrainingStep> log = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();
    private final @Nullable RolloutSampler sampler;
    private final Doctor doctor;
    private final long started = System.nanoTime();
    private List<Double> losses = new ArrayList<>();
    private long tokens;
    private double best = Double.POSITIVE_INFINITY;
    private int worse;

    /** @param sampler of completions, for an objective that rates them */
    TrainingRun(
            Prepared prepared,
            @Nullable Path saved,
            Consumer<TrainingStep> listener,
            @Nullable RolloutSampler sampler) {
        this.sampler = sampler;
        this.prepared = prepared;
        this.options = prepared.options();
        this.saved = saved;
        this.doctor = new Doctor(prepared.objective());
        this.listener = listener;
    }

    TrainingReport run(JobContext context) {
        noteRows(context);
        Path target = saved;
        RunState state = target == null || options.saveEvery() == 0 ? null : new RunState(target, prepared.digest());
        try (ModelPair models =
                new ModelPair(prepared.setting(), prepared.trainables(), prepared.residuals(), prepared.reference())) {
            StepRunner runner = new StepRunner(models, prepared.trainables(), prepared.objective(), options);
            long steps = Planning.steps(prepared.rows(), options);
            LearningRate rate = new LearningRate(
                    options.schedule(), options.learningRate(), Planning.warmUp(options, steps), steps);
            long first = 0;
            Evaluation before;
            Optional<RunState.Progress> continued =
                    state == null ? Optional.empty() : state.restore(prepared.trainables(), runner, rate);
            if (continued.isPresent()) {
                first = continued.get().step();
                tokens = continued.get().tokens();
                losses = new ArrayList<>(continued.get().losses());
                models.refresh();
                before = Evaluation.NONE;
                note("The run continues after step " + first, context);
            } else {
                before = evaluate(runner, context);
            }
            long done = steps(runner, rate, new Range(first, steps), state, context);
            Evaluation after = evaluate(runner, context);
            doctor.end(prepared.trainables()).forEach(found -> note(found, context));
            TrainedAdapter adapter =
                    TrainedAdapter.of(prepared.trainables(), prepared.residuals(), prepared.settings());
            if (target != null) {
                adapter.save(target);
                if (state != null) {
                    state.clear();
                }
            }
            return new TrainingReport(
                    done, tokens, elapsed(), lastLoss(), before, after, models.allocated(), log, notices, adapter);
        }
    }

    /** Steps from {@code first} on. */
    private record Range(long first, long steps) {}

    private long steps(
            StepRunner runner, LearningRate rate, Range range, @Nullable RunState state, JobContext context) {
        for (long step = range.first(); step < range.steps(); step++) {
            context.checkCancelled();
            List<MicroBatch> batches = sampler == null ? batches(step) : sampled(sampler, step, context);
            double share = rate.share(step);
            StepRunner.Step found = runner.step(batches, share * options.learningRate(), context);
            if (sampler != null) {
                found.metrics().putAll(sampler.metrics());
            }
            if (!Double.isFinite(found.loss()) || !Double.isFinite(found.gradientNorm())) {
                throw new ModelExecutionException("The loss of step " + (step + 1) + " is " + found.loss()
                        + " and the norm of its gradient " + found.gradientNorm()
                        + "; lower the learning rate, or check the rows of the step");
            }
            batches.forEach(batch -> tokens += batch.tokens());
            losses.add(found.loss());
            doctor.step(found).forEach(notice -> note(notice, context));
            rate.loss(found.loss());
            report(step + 1, range.steps(), found, share * options.learningRate(), context);
            if (state != null && (step + 1) % options.saveEvery() == 0 && step + 1 < range.steps()) {
                state.save(new RunState.Progress(step + 1, tokens, losses), prepared.trainables(), runner, rate);
            }
            if (endsEarly(step + 1, runner, context)) {
                return step + 1;
            }
        }
        return range.steps();
    }

    private boolean endsEarly(long step, StepRunner runner, JobContext context) {
        if (options.evaluateEvery() == 0 || step % options.evaluateEvery() != 0) {
            return false;
        }
        double loss = evaluate(runner, context).loss().orElse(Double.NaN);
        if (Double.isNaN(loss)) {
            return false;
        }
        note("Step " + step + ": the loss of the evaluation rows is " + (float) loss, context);
        if (loss < best) {
            best = loss;
            worse = 0;
        } else {
            worse++;
        }
        if (options.patience() > 0 && worse >= options.patience()) {
            note("Training ends early after " + worse + " evaluations without improvement", context);
            return true;
        }
        return false;
    }

    private List<MicroBatch> sampled(RolloutSampler from, long step, JobContext context) {
        List<List<RolloutSampler.Asked>> prompts =
                batches(step, (order, first, end) -> prepared.rows().prompts(order, first, end));
        TrainedAdapter adapter = TrainedAdapter.of(prepared.trainables(), prepared.residuals(), prepared.settings());
        return from.sample(prompts, step, adapter, context);
    }

    private List<MicroBatch> batches(long step) {
        return batches(step, (order, first, end) -> prepared.rows().batch(order, first, end));
    }

    private interface Part<T> {
        T of(int[] order, int first, int end);
    }

    /** The micro-batches of a step. The last step of an epoch may have fewer. */
    private <T> List<T> batches(long step, Part<T> part) {
        int size = options.batchSize();
        int rows = prepared.rows().size();
        long perEpoch = Math.max(1, ((rows + size - 1L) / size + options.accumulation() - 1) / options.accumulation());
        long epoch = step / perEpoch;
        int[] order = prepared.rows().order(epoch, options.shuffle(), options.seed());
        List<T> batches = new ArrayList<>();
        int first = Math.toIntExact(step % perEpoch) * size * options.accumulation();
        for (int i = 0; i < options.accumulation() && first < rows; i++) {
            int end = Math.min(rows, first + size);
            batches.add(part.of(order, first, end));
            first = end;
        }
        return batches;
    }

    private void report(long step, long steps, StepRunner.Step found, double rate, JobContext context) {
        context.progress("train", step, steps, "steps");
        if (step % options.logEvery() == 0 || step == steps) {
            double epoch = (double) step
                    * options.batchSize()
                    * options.accumulation()
                    / Math.max(1, prepared.rows().size());
            TrainingStep logged = new TrainingStep(
                    step, steps, epoch, found.loss(), found.gradientNorm(), rate, tokens, elapsed(), found.metrics());
            log.add(logged);
            listener.accept(logged);
        }
    }

    private Evaluation evaluate(StepRunner runner, JobContext context) {
        if (prepared.evaluation().isEmpty()) {
            return Evaluation.NONE;
        }
        PreparedRows rows = prepared.evaluation().get();
        int[] order = rows.order(0, false, 0);
        double loss = 0;
        double weight = 0;
        double accuracy = 0;
        boolean pairs = prepared.objective().rows() == Objective.Rows.PAIRS;
        for (int first = 0; first < rows.size(); first += options.batchSize()) {
            context.checkCancelled();
            int end = Math.min(rows.size(), first + options.batchSize());
            MicroBatch batch = rows.batch(order, first, end);
            BatchLoss found = runner.evaluate(batch, context);
            double own = prepared.objective().isPerToken() ? batch.targets() : end - first;
            loss += found.loss() * own;
            weight += own;
            accuracy += found.metrics().getOrDefault("rewards/accuracies", 0.0) * (end - first);
            context.progress("evaluate", end, rows.size(), "rows");
        }
        return new Evaluation(
                OptionalDouble.of(loss / weight),
                pairs ? OptionalDouble.of(accuracy / rows.size()) : OptionalDouble.empty());
    }

    private void noteRows(JobContext context) {
        PreparedRows rows = prepared.rows();
        if (rows.cut() > 0) {
            note(rows.cut() + " sequences are longer than " + options.maxLength() + " tokens and are cut", context);
        }
        if (rows.left() > 0) {
            note(rows.left() + " rows are left out: no trained token is left after they are cut", context);
        }
        doctor.rows(rows, prepared.evaluation().stream().toList(), prepared.ends())
                .forEach(found -> note(found, context));
    }

    private void note(String notice, JobContext context) {
        notices.add(notice);
        context.notice(notice);
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - started);
    }

    private double lastLoss() {
        int count = Math.max(1, losses.size() / 10);
        return losses.subList(Math.max(0, losses.size() - count), losses.size()).stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(0);
    }
}
