package dev.pollux.samples.cli;

import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.LearningRateSchedule;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.LoraTrainer;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.Optimizer;
import dev.pollux.finetune.train.Packing;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingPlan;
import dev.pollux.finetune.train.TrainingReport;
import dev.pollux.finetune.train.TrainingStep;
import dev.pollux.inference.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A command that trains with one objective. */
abstract class TrainingCommand extends TrainingData {

    static final String JSON =
            "--json: while it runs, a line for each reported step: {step, steps, epoch, loss, grad_norm,"
                    + " learning_rate, num_tokens, …}, the names of TRL; at the end {steps, tokens, seconds, trainLoss, evalLoss:"
                    + " {before, after}, rewardAccuracy: {before, after}, tokensPerSecond, peakMemoryBytes, adapter}. With --dry-run"
                    + " {trainable, parameters, modules, rows, cut, left, tokens, trainedTokens, longest, steps, operations, memory}.";

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
            names = "--method",
            order = 11,
            paramLabel = "NAME",
            description = "lora, rslora, dora, pissa or olora. Default: ${DEFAULT-VALUE}.")
    private String method = "lora";

    @Option(names = "--rank", order = 12, paramLabel = "N", description = "The rank. Default: ${DEFAULT-VALUE}.")
    private int rank = LoraOptions.DEFAULTS.rank();

    @Option(names = "--alpha", order = 13, paramLabel = "NUMBER", description = "lora_alpha. Default: the rank.")
    private @Nullable Double alpha;

    @Option(
            names = "--dropout",
            order = 14,
            paramLabel = "SHARE",
            description = "Dropout of inputs of the first factor. Default: none.")
    private double dropout = LoraOptions.DEFAULTS.dropout();

    @Option(
            names = "--target",
            order = 15,
            paramLabel = "MODULE",
            description = "A module to change, such as q_proj; may be repeated. Default: all linear layers.")
    private List<String> targets = LoraOptions.DEFAULTS.targets();

    @Option(
            names = "--lora-plus",
            order = 16,
            paramLabel = "RATIO",
            description = "The factor of the rate of the second factors. Default: 1.")
    private double loraPlus = TrainingOptions.DEFAULTS.loraPlusRatio();

    @Option(names = "--epochs", order = 20, paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private double epochs = TrainingOptions.DEFAULTS.epochs();

    @Option(names = "--max-steps", order = 21, paramLabel = "N", description = "Most steps. Default: no limit.")
    private long maxSteps = TrainingOptions.DEFAULTS.maxSteps();

    @Option(
            names = "--batch",
            order = 22,
            paramLabel = "N",
            description = "Rows of a batch. Default: ${DEFAULT-VALUE}.")
    private int batch = TrainingOptions.DEFAULTS.batchSize();

    @Option(
            names = "--accumulation",
            order = 23,
            paramLabel = "N",
            description = "Batches of a step. Default: ${DEFAULT-VALUE}.")
    private int accumulation = TrainingOptions.DEFAULTS.accumulation();

    @Option(names = "--learning-rate", order = 24, paramLabel = "NUMBER", description = "Default: ${DEFAULT-VALUE}.")
    private double learningRate = TrainingOptions.DEFAULTS.learningRate();

    @Option(
            names = "--schedule",
            order = 25,
            paramLabel = "NAME",
            description = "The schedule of the rate, as transformers names it. Default: ${DEFAULT-VALUE}.")
    private String schedule = "linear";

    @Option(
            names = "--warm-up",
            order = 26,
            paramLabel = "N",
            description = "Steps of the warm-up, or their share if below 1. Default: 0.")
    private double warmUp = TrainingOptions.DEFAULTS.warmUp();

    @Option(
            names = "--optimizer",
            order = 27,
            paramLabel = "NAME",
            description = "adamw, lion, adafactor or sgd. Default: ${DEFAULT-VALUE}.")
    private String optimizer = "adamw";

    @Option(names = "--weight-decay", order = 28, paramLabel = "NUMBER", description = "Default: 0.")
    private double weightDecay;

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

    @Option(names = "--seed", order = 33, paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private long seed = TrainingOptions.DEFAULTS.seed();

    @Option(names = "--eval-every", order = 34, paramLabel = "N", description = "Steps between evaluations.")
    private int evaluateEvery = TrainingOptions.DEFAULTS.evaluateEvery();

    @Option(
            names = "--patience",
            order = 35,
            paramLabel = "N",
            description = "End after so many evaluations without improvement. Default: never.")
    private int patience = TrainingOptions.DEFAULTS.patience();

    @Option(
            names = "--save-every",
            order = 36,
            paramLabel = "N",
            description =
                    "Steps between saved states; a run that was ended continues from the last one. Default: none.")
    private int saveEvery = TrainingOptions.DEFAULTS.saveEvery();

    @Option(
            names = "--log-every",
            order = 37,
            paramLabel = "N",
            description = "Steps between reports. Default: ${DEFAULT-VALUE}.")
    private int logEvery = TrainingOptions.DEFAULTS.logEvery();

    @Option(
            names = "--memory",
            order = 38,
            paramLabel = "MB",
            description = "Megabytes of weights that stay in memory. Default: ${DEFAULT-VALUE}.")
    private long memory = TrainingOptions.DEFAULTS.weightMemory() >> 20;

    @Option(
            names = "--recompute",
            order = 39,
            description = "Compute attention again in the backward pass: less memory.")
    private boolean recompute;

    @Option(names = "--dry-run", order = 40, description = "Say what would be trained, and run nothing.")
    private boolean dryRun;

    @Mixin
    private TrainingLogs logs = new TrainingLogs();

    /** What is minimized. */
    abstract Objective objective();

    @Override
    final int execute() {
        Path folder = out;
        if (folder == null && !dryRun) {
            throw usage("Missing required option: '--out=FOLDER'");
        }
        LoraOptions lora;
        TrainingOptions options;
        Objective objective;
        try {
            lora = lora();
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
        try (Checkpoint checkpoint = Checkpoint.open(base())) {
            LoraTrainer trainer =
                    from == null ? LoraTrainer.on(checkpoint, lora) : LoraTrainer.continuing(checkpoint, from);
            Path held = evaluation;
            if (held != null) {
                GivenPath.file("--eval", held, this);
                trainer = trainer.evaluatedBy(rows(held));
            }
            TrainingPlan plan = trainer.plan(rows, objective, options);
            if (dryRun || folder == null) {
                report(plan).print(this);
                return ExitCode.OK;
            }
            output().note(summary(plan));
            LoraTrainer chosen = trainer;
            TrainingReport done = logs.during(
                    objective.name() + " of " + folder.getFileName(),
                    this::step,
                    listener -> run(chosen.savedTo(folder).onStep(listener).train(rows, objective, options)),
                    () -> chosen.explain(rows, objective, options, SAMPLES));
            report(done, folder).print(this);
            return ExitCode.OK;
        }
    }

    private LoraOptions lora() {
        LoraOptions.Builder builder = LoraOptions.builder()
                .rank(rank)
                .alpha(alpha == null ? rank : alpha)
                .dropout(dropout)
                .targets(targets);
        switch (method.toLowerCase(Locale.ROOT)) {
            case "lora" -> {}
            case "rslora" -> builder.rankStabilized(true);
            case "dora" -> builder.dora(true);
            case "pissa" -> builder.initialization(LoraOptions.Initialization.PISSA);
            case "olora" -> builder.initialization(LoraOptions.Initialization.OLORA);
            default -> throw usage("--method must be lora, rslora, dora, pissa or olora but was " + method);
        }
        return builder.build();
    }

    private TrainingOptions options() {
        Optimizer chosen = switch (optimizer.toLowerCase(Locale.ROOT)) {
            case "adamw" -> Optimizer.adamW();
            case "lion" -> Optimizer.lion();
            case "adafactor" -> Optimizer.adafactor();
            case "sgd" -> Optimizer.sgd();
            default -> throw usage("--optimizer must be adamw, lion, adafactor or sgd but was " + optimizer);
        };
        return rowOptions()
                .epochs(epochs)
                .maxSteps(maxSteps)
                .batchSize(batch)
                .accumulation(accumulation)
                .learningRate(learningRate)
                .optimizer(chosen.withWeightDecay(weightDecay))
                .schedule(LearningRateSchedule.named(schedule, Map.of()))
                .warmUp(warmUp)
                .loraPlusRatio(loraPlus)
                .packing(packing)
                .seed(seed)
                .evaluateEvery(evaluateEvery)
                .patience(patience)
                .saveEvery(saveEvery)
                .logEvery(logEvery)
                .weightMemory(memory << 20)
                .recompute(recompute)
                .threads(resources().threads())
                .build();
    }

    private void step(TrainingStep step) {
        if (json()) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("step", step.step());
            line.put("steps", step.steps());
            line.put("epoch", step.epoch());
            line.put("loss", step.loss());
            line.put("grad_norm", step.gradientNorm());
            line.put("learning_rate", step.learningRate());
            line.put("num_tokens", step.tokens());
            line.putAll(new TreeMap<>(step.metrics()));
            output().json(line);
        } else {
            Duration left =
                    step.elapsed().multipliedBy(step.steps() - step.step()).dividedBy(Math.max(1, step.step()));
            output().note(String.format(
                    Locale.ROOT,
                    "step %d of %d: loss %.4f, gradient %.3f, rate %.3g, %d s left",
                    step.step(),
                    step.steps(),
                    step.loss(),
                    step.gradientNorm(),
                    step.learningRate(),
                    left.toSeconds()));
        }
    }

    private static String summary(TrainingPlan plan) {
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
                .add(
                        "operations",
                        plan.operations(),
                        String.format(Locale.ROOT, "%.3g floating-point operations in all", plan.operations()))
                .add("memory", plan.memory(), "about " + Texts.bytes(plan.memory()));
    }

    private static Report report(TrainingReport done, Path folder) {
        double seconds = done.elapsed().toMillis() / 1e3;
        return new Report()
                .add("steps", done.steps())
                .add("tokens", done.tokens())
                .add("seconds", seconds)
                .add("trainLoss", done.trainLoss())
                .add(
                        "evalLoss",
                        both(
                                done.before().loss().stream().boxed().toList(),
                                done.after().loss().stream().boxed().toList()))
                .add(
                        "rewardAccuracy",
                        both(
                                done.before().rewardAccuracy().stream().boxed().toList(),
                                done.after().rewardAccuracy().stream().boxed().toList()))
                .add("tokensPerSecond", done.tokensPerSecond())
                .add("peakMemoryBytes", PeakMemory.bytes(), Texts.bytes(PeakMemory.bytes()))
                .add("adapter", folder.toString());
    }

    private static Map<String, Object> both(List<Double> before, List<Double> after) {
        Map<String, Object> both = new LinkedHashMap<>();
        if (!before.isEmpty()) {
            both.put("before", before.get(0));
        }
        if (!after.isEmpty()) {
            both.put("after", after.get(0));
        }
        return both;
    }
}
