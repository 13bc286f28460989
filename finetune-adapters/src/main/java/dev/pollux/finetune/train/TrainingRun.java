package dev.pollux.finetune.train;

import dev.pollux.ModelExecutionException;
import dev.pollux.StorageException;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of a trainer. <em>For one call.</em>
 *
 * @param <B> a micro-batch
 */
final class TrainingRun<B> {

    private final TrainingTask<B> task;
    private final TrainingOptions options;
    private final @Nullable Path saved;
    private final Consumer<TrainingStep> listener;
    private final List<TrainingStep> log = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();
    private final Evaluations evaluations;
    private final long started = System.nanoTime();
    private Duration before = Duration.ZERO; // of the parts of a run that was ended and continues
    private List<Double> losses = new ArrayList<>();
    private long tokens;
    private Evaluation last = Evaluation.NONE;
    private long evaluated = -1; // the step of the last evaluation

    TrainingRun(TrainingTask<B> task, TrainingOptions options, @Nullable Path saved, Consumer<TrainingStep> listener) {
        this.task = task;
        this.options = options;
        this.saved = saved;
        this.listener = listener;
        this.evaluations = new Evaluations(options.keepBest());
    }

    TrainingReport run(JobContext context) {
        requireFree(saved);
        task.notices().forEach(found -> note(found, context));
        Path target = saved;
        RunState state = target == null || options.saveEvery() == 0 ? null : new RunState(target, task.digest());
        try (StepRunner<B> runner = task.open(options)) {
            long steps = Planning.steps(task.rows(), options);
            LearningRate rate = new LearningRate(
                    options.schedule(), options.learningRate(), Planning.warmUp(options, steps), steps);
            long first = 0;
            Optional<RunState.Progress> continued =
                    state == null ? Optional.empty() : state.restore(task.trainables(), runner, rate, evaluations);
            if (continued.isPresent()) {
                first = continued.get().step();
                tokens = continued.get().tokens();
                before = continued.get().elapsed();
                losses = new ArrayList<>(continued.get().losses());
                runner.refresh();
                note("The run continues after step " + first, context);
            } else {
                evaluations.before(task.evaluate(runner, context));
            }
            long done = steps(runner, rate, new Range(first, steps), state, context);
            long kept = kept(done, runner, context);
            task.end().forEach(found -> note(found, context));
            if (target != null) {
                task.save(target, context);
                if (state != null) {
                    state.clear();
                }
            }
            return new TrainingReport(
                    done,
                    tokens,
                    elapsed(),
                    lastLoss(),
                    evaluations.before(),
                    last,
                    kept,
                    runner.allocated(),
                    log,
                    notices,
                    task.adapter());
        }
    }

    /** The step whose values the parameters have: the last one, or that of the best evaluation, whose values they get. */
    private long kept(long done, StepRunner<B> runner, JobContext context) {
        if (evaluated != done) {
            evaluate(done, runner, context);
        }
        long best = evaluations.best().step();
        double first = evaluations.before().loss().orElse(Double.NaN);
        if (evaluations.best().found().loss().orElse(0) >= first && options.evaluateEvery() > 0) {
            note(
                    "No evaluation had a smaller loss than before the first step, " + (float) first
                            + "; lower the learning rate, or check that both files have rows of one kind",
                    context);
        }
        if (evaluations.values().isEmpty() || best == done) {
            return done;
        }
        evaluations.useBest(task.trainables());
        runner.refresh();
        last = evaluations.best().found();
        note("The adapter is that of step " + best + ", whose loss of the evaluation rows is the best", context);
        return best;
    }

    /** Checked before the first step, so that no run is lost at its end. */
    private static void requireFree(@Nullable Path target) {
        if (target == null || !Files.exists(target)) {
            return;
        }
        boolean empty = false;
        if (Files.isDirectory(target)) {
            try (Stream<Path> files = Files.list(target)) {
                empty = files.findAny().isEmpty();
            } catch (IOException e) {
                throw new StorageException("Cannot read " + target + ": " + e, e);
            }
        }
        if (!empty) {
            throw new IllegalArgumentException(
                    target + " must not exist or be an empty folder; choose another folder or delete it");
        }
    }

    /** Steps from {@code first} on. */
    private record Range(long first, long steps) {}

    private long steps(
            StepRunner<B> runner, LearningRate rate, Range range, @Nullable RunState state, JobContext context) {
        for (long step = range.first(); step < range.steps(); step++) {
            context.checkCancelled();
            RowOrder order = RowOrder.of(
                    task.rows(), step / RowOrder.stepsOfEpoch(task.rows(), options), options.shuffle(), options.seed());
            List<B> batches = task.batches(step, RowOrder.ofStep(step, task.rows(), options), order, context);
            double share = rate.share(step);
            StepRunner.Step found = runner.step(batches, share * options.learningRate(), context);
            if (!Double.isFinite(found.loss()) || !Double.isFinite(found.gradientNorm())) {
                throw new ModelExecutionException("The loss of step " + (step + 1) + " is " + found.loss()
                        + " and the norm of its gradient " + found.gradientNorm()
                        + "; lower the learning rate, or check the rows of the step");
            }
            batches.forEach(batch -> tokens += runner.tokens(batch));
            losses.add(found.loss());
            task.step(found).forEach(notice -> note(notice, context));
            rate.loss(found.loss());
            report(step + 1, range.steps(), found, share * options.learningRate(), context);
            if (endsEarly(step + 1, runner, context)) {
                return step + 1;
            }
            if (state != null && (step + 1) % options.saveEvery() == 0 && step + 1 < range.steps()) {
                state.save(
                        new RunState.Progress(step + 1, tokens, elapsed(), losses),
                        task.trainables(),
                        runner,
                        rate,
                        evaluations);
            }
        }
        return range.steps();
    }

    private boolean endsEarly(long step, StepRunner<B> runner, JobContext context) {
        if (options.evaluateEvery() == 0 || step % options.evaluateEvery() != 0) {
            return false;
        }
        double loss = evaluate(step, runner, context).loss().orElse(Double.NaN);
        if (Double.isNaN(loss)) {
            return false;
        }
        note("Step " + step + ": the loss of the evaluation rows is " + (float) loss, context);
        int worse = evaluations.best().worse();
        if (options.patience() > 0 && worse >= options.patience()) {
            note("Training ends early after " + worse + " evaluations without improvement", context);
            return true;
        }
        return false;
    }

    private Evaluation evaluate(long step, StepRunner<B> runner, JobContext context) {
        last = task.evaluate(runner, context);
        evaluated = step;
        evaluations.add(step, last, task.trainables());
        return last;
    }

    private void report(long step, long steps, StepRunner.Step found, double rate, JobContext context) {
        context.progress("train", step, steps, "steps");
        if (step % options.logEvery() == 0 || step == steps) {
            double epoch = (double) step * options.batchSize() * options.accumulation() / Math.max(1, task.rows());
            TrainingStep logged = new TrainingStep(
                    step, steps, epoch, found.loss(), found.gradientNorm(), rate, tokens, elapsed(), found.metrics());
            log.add(logged);
            listener.accept(logged);
        }
    }

    private void note(String notice, JobContext context) {
        notices.add(notice);
        context.notice(notice);
    }

    private Duration elapsed() {
        return before.plusNanos(System.nanoTime() - started);
    }

    private double lastLoss() {
        int count = Math.max(1, losses.size() / 10);
        return losses.subList(Math.max(0, losses.size() - count), losses.size()).stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(0);
    }
}
