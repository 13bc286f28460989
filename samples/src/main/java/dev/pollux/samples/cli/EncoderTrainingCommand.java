package dev.pollux.samples.cli;

import dev.pollux.finetune.train.EncoderObjective;
import dev.pollux.finetune.train.EncoderTrainer;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.RelevanceDataset;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingPlan;
import dev.pollux.finetune.train.TrainingReport;
import dev.pollux.inference.encoder.BundledCheckpoint;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that trains an embedder or a reranker. */
abstract class EncoderTrainingCommand extends PolluxCommand {

    static final String ROWS =
            "A row of the data has query, positive and perhaps negatives, a list; or query, document and label, true, false or a"
                    + " number from 0 to 1. The result is a model with the changes merged, and the changes by themselves in its folder"
                    + " adapter, in PEFT's form.";

    static final String JSON =
            "--json: while it runs, a line for each reported step: {step, steps, epoch, loss, grad_norm,"
                    + " learning_rate, num_tokens, accuracy}; at the end {steps, keptStep, tokens, seconds, trainLoss, evalLoss: {before,"
                    + " after}, accuracy: {before, after}, tokensPerSecond, peakMemoryBytes, model, adapter}. With --dry-run"
                    + " {trainable, parameters, modules, rows, cut, tokens, longest, steps, operations, memory}.";

    @Option(
            names = "--base",
            order = 1,
            paramLabel = "FOLDER",
            description = "The model: a Hugging Face folder. Default: all-MiniLM-L6-v2 (English), embedded.")
    private @Nullable Path base;

    @Option(
            names = "--data",
            order = 2,
            required = true,
            paramLabel = "FILE",
            description = "The rows: JSON objects, one a line, or an array of them.")
    private @Nullable Path data;

    @Option(
            names = "--adapter",
            order = 3,
            paramLabel = "FOLDER",
            description = "Train this adapter of the model further.")
    private @Nullable Path adapter;

    @Option(names = "--eval", order = 4, paramLabel = "FILE", description = "Rows that are measured, not trained.")
    private @Nullable Path evaluation;

    @Option(names = "--out", order = 10, paramLabel = "FOLDER", description = "The model to write; it must not exist.")
    private @Nullable Path out;

    @Option(
            names = "--max-length",
            order = 30,
            paramLabel = "N",
            description = "Most tokens of a text or a pair; longer ones are cut at the end. Default: the model's.")
    private int maxLength = TrainingOptions.DEFAULTS.maxLength();

    @Option(names = "--dry-run", order = 40, description = "Say what would be trained, and run nothing.")
    private boolean dryRun;

    @Mixin
    private TrainingLoopOptions loop = new TrainingLoopOptions();

    @Mixin
    private TrainingLogs logs = new TrainingLogs();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    /** What is minimized. */
    abstract EncoderObjective objective();

    /** The size of a batch where none is given. */
    abstract int batchSize();

    @Override
    final int execute() {
        Path folder = out;
        if (folder == null && !dryRun) {
            throw usage("Missing required option: '--out=FOLDER'");
        }
        EncoderObjective objective;
        LoraOptions lora;
        TrainingOptions options;
        try {
            objective = objective();
            lora = loop.lora(this);
            options = loop.options(
                            this, TrainingOptions.builder().maxLength(maxLength).batchSize(batchSize()))
                    .threads(resources.threads())
                    .build();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        RelevanceDataset rows = rows("--data", data == null ? Path.of("") : data);
        EncoderTrainer trainer = trainer(lora);
        if (evaluation != null) {
            trainer = trainer.evaluatedBy(rows("--eval", evaluation));
        }
        TrainingPlan plan = trainer.plan(rows, objective, options);
        if (dryRun || folder == null) {
            report(plan).print(this);
            return ExitCode.OK;
        }
        output().note(TrainingCommand.summary(plan));
        EncoderTrainer chosen = trainer;
        TrainingReport done = logs.during(
                objective.name() + " of " + folder.getFileName(),
                step -> TrainingLoopOptions.show(step, this),
                listener -> run(chosen.savedTo(folder).onStep(listener).train(rows, objective, options)),
                List::of);
        report(done, folder).print(this);
        return ExitCode.OK;
    }

    private EncoderTrainer trainer(LoraOptions lora) {
        Path model = base;
        if (model == null) {
            model = BundledCheckpoint.in(resources.cache(), JobContext.NONE);
        } else {
            GivenPath.folder("--base", model);
        }
        Path from = adapter;
        if (from == null) {
            return EncoderTrainer.on(model, lora);
        }
        GivenPath.adapters(List.of(from));
        return EncoderTrainer.continuing(model, from);
    }

    private RelevanceDataset rows(String option, Path file) {
        GivenPath.file(option, file, this);
        return RelevanceDataset.jsonl(file);
    }

    private static Report report(TrainingPlan plan) {
        return new Report()
                .add("trainable", plan.trainable(), Texts.count(plan.trainable()) + " parameters")
                .add("parameters", plan.parameters(), Texts.count(plan.parameters()))
                .add("modules", plan.modules(), plan.modules().size() + " matrices")
                .add("rows", plan.rows())
                .add("cut", plan.cut(), plan.cut() + " texts are longer than --max-length, or than the model reads")
                .add("tokens", plan.tokens(), Texts.count(plan.tokens()) + " an epoch")
                .add("longest", plan.longest(), plan.longest() + " tokens")
                .add("steps", plan.steps())
                .add("operations", plan.operations(), TrainingCommand.operations(plan))
                .add("memory", plan.memory(), "about " + Texts.bytes(plan.memory()));
    }

    private static Report report(TrainingReport done, Path folder) {
        return TrainingCommand.measures(done, "accuracy")
                .add("model", folder.toString())
                .add("adapter", folder.resolve("adapter").toString());
    }
}
