package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.LoraTrainer;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.Packing;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingPlan;
import dev.pollux.finetune.train.TrainingReport;
import dev.pollux.inference.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that trains with one objective. */
abstract class TrainingCommand extends TrainingData {

    static final String JSON =
            "--json: while it runs, a line for each reported step: {step, steps, epoch, loss, grad_norm,"
                    + " learning_rate, num_tokens, …}, the names of TRL; at the end {steps, keptStep, tokens, seconds, trainLoss, evalLoss:"
                    + " {before, after}, rewardAccuracy: {before, after}, tokensPerSecond, peakMemoryBytes, adapter}. With --dry-run"
                    + " {trainable, parameters, modules, rows, cut, left, tokens, trainedTokens, longest, steps, operations, memory, notices}.";

    private static final int SAMPLES = 3;

    @Option(
            names = "--adapter",
            order = 3,
            paramLabel = "FOLDER",
            description = "Train this adapter further; for preferences it is the reference, too.")
    private @Nullable Path adapter;

    @Option(names = "--eval", order = 4, paramLabel = "FILE", description = "Rows that are measured, not trained.")
    private @Nullable Path evaluation;

    @Option(
            names = "--out",
            order = 10,
            paramLabel = "FOLDER",
            description = "The adapter to write, in PEFT's form; it must not exist.")
    private @Nullable Path out;

    @Option(
            names = "--packing",
            order = 32,
            arity = "0..1",
            fallbackValue = "best-fit",
            paramLabel = "NAME",
            converter = PackingConverter.class,
            description =
                    "Put short rows together into rows of --max-length tokens; none sees another. best-fit (default),"
                            + " split: longer rows in pieces, or wrapped: in the order of the file.")
    private Packing packing = Packing.NONE;

    @Option(
            names = "--activation-memory",
            order = 39,
            paramLabel = "MB",
            description =
                    "Megabytes for results of products that the backward pass reads; what does not fit is computed again, with 0 attention too."
                            + " Default: ${DEFAULT-VALUE}.")
    private long activationMemory = TrainingOptions.DEFAULTS.activationMemory() >> 20;

    @Option(names = "--dry-run", order = 40, description = "Say what would be trained, and run nothing.")
    private boolean dryRun;

    @Mixin
    private TrainingLoopOptions loop = new TrainingLoopOptions();

    @Mixin
    private TrainingLogs logs = new TrainingLogs();

    /** What is minimized. */
    abstract Objective objective();

    /** The model that teaches; empty for none. */
    Optional<Path> teacher() {
        return Optional.empty();
    }

    /** Frees what {@link #objective()} opened. */
    void release() {}

    /** The rows of a batch where no number is given. */
    int batchSize() {
        return TrainingOptions.DEFAULTS.batchSize();
    }

    /** The rate where none is given. */
    double learningRate() {
        return TrainingOptions.DEFAULTS.learningRate();
    }

    @Override
    final int execute() {
        try {
            return train();
        } finally {
            release();
        }
    }

    private int train() {
        Path folder = out;
        if (folder == null && !dryRun) {
            throw usage("Missing required option: '--out=FOLDER'");
        }
        LoraOptions lora;
        TrainingOptions options;
        Objective objective;
        try {
            lora = loop.lora(this);
            options = options();
            objective = objective();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        Dataset rows = data();
        Path from = adapter;
        if (from != null) {
            GivenPath.adapters(List.of(from));
        }
        Optional<Path> taughtBy = teacher();
        try (Checkpoint checkpoint = Checkpoint.open(base());
                Opened teacher = new Opened(taughtBy.map(Checkpoint::open))) {
            LoraTrainer trainer =
                    from == null ? LoraTrainer.on(checkpoint, lora) : LoraTrainer.continuing(checkpoint, from);
            if (teacher.model().isPresent()) {
                trainer = trainer.taughtBy(teacher.model().get(), resources().cache());
            }
            Path held = evaluation;
            if (held != null) {
                GivenPath.file("--eval", held, this);
                trainer = trainer.evaluatedBy(rows(held));
            }
            TrainingPlan plan = trainer.plan(rows, objective, options);
            if (dryRun || folder == null) {
                report(plan).print(this);
                plan.notices().forEach(output()::note);
                return ExitCode.OK;
            }
            output().note(summary(plan));
            LoraTrainer chosen = trainer;
            TrainingReport done = logs.during(
                    objective.name() + " of " + folder.getFileName(),
                    step -> TrainingLoopOptions.show(step, this),
                    listener -> run(chosen.savedTo(folder).onStep(listener).train(rows, objective, options)),
                    () -> chosen.explain(rows, objective, options, SAMPLES));
            report(done, folder).print(this);
            return ExitCode.OK;
        }
    }

    /** A model that may not be there. */
    private record Opened(Optional<Checkpoint> model) implements AutoCloseable {
        @Override
        public void close() {
            model.ifPresent(Checkpoint::close);
        }
    }

    final TrainingOptions options() {
        return loop.options(
                        this,
                        rowOptions()
                                .packing(packing)
                                .activationMemory(activationMemory << 20)
                                .learningRate(learningRate())
                                .batchSize(batchSize()))
                .threads(resources().threads())
                .build();
    }

    static String summary(TrainingPlan plan) {
        return Texts.count(plan.trainable()) + " of " + Texts.count(plan.parameters()) + " parameters are trained, "
                + Texts.count(plan.trainedTokens()) + " of " + Texts.count(plan.tokens()) + " tokens an epoch, "
                + Texts.count(plan.steps()) + " steps";
    }

    private static Report report(TrainingPlan plan) {
        return new Report()
                .add("trainable", plan.trainable(), Texts.count(plan.trainable()) + " parameters")
                .add("parameters", plan.parameters(), Texts.count(plan.parameters()))
                .add("modules", plan.modules(), plan.modules().size() + " matrices")
                .add("rows", plan.rows())
                .add("cut", plan.cut(), plan.cut() + " sequences are longer than --max-length")
                .add("left", plan.left(), plan.left() + " rows have no trained token within --max-length")
                .add("tokens", plan.tokens(), Texts.count(plan.tokens()) + " an epoch")
                .add("trainedTokens", plan.trainedTokens(), Texts.count(plan.trainedTokens()) + " an epoch")
                .add("longest", plan.longest(), plan.longest() + " tokens")
                .add("steps", plan.steps())
                .add("operations", plan.operations(), operations(plan))
                .add("memory", plan.memory(), "about " + Texts.bytes(plan.memory()))
                .add("notices", plan.notices(), "");
    }

    static String operations(TrainingPlan plan) {
        return String.format(Locale.ROOT, "%.3g floating-point operations in all", plan.operations());
    }

    private static Report report(TrainingReport done, Path folder) {
        return measures(done, "rewardAccuracy").add("adapter", folder.toString());
    }

    /**
     * What a run measured.
     *
     * @param accuracy the name of the share of right comparisons
     */
    static Report measures(TrainingReport done, String accuracy) {
        double seconds = done.elapsed().toMillis() / 1e3;
        return new Report()
                .add("steps", done.steps())
                .add("keptStep", done.keptStep(), "after step " + done.keptStep())
                .add("tokens", done.tokens())
                .add("seconds", seconds)
                .add("trainLoss", done.trainLoss())
                .add(
                        "evalLoss",
                        TrainingLoopOptions.both(
                                done.before().loss().stream().boxed().toList(),
                                done.after().loss().stream().boxed().toList()))
                .add(
                        accuracy,
                        TrainingLoopOptions.both(
                                done.before().rewardAccuracy().stream().boxed().toList(),
                                done.after().rewardAccuracy().stream().boxed().toList()))
                .add("tokensPerSecond", done.tokensPerSecond())
                .add("peakMemoryBytes", PeakMemory.bytes(), Texts.bytes(PeakMemory.bytes()));
    }
}
