package dev.pollux.samples.cli;

import dev.pollux.finetune.train.LearningRateSchedule;
import dev.pollux.finetune.train.LoraOptions;
import dev.pollux.finetune.train.Optimizer;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingStep;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of adapters and of the loop that trains them. */
final class TrainingLoopOptions {

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
            description = "Rows of a batch. Default: 8, of an embedder 32, of grpo 1.")
    private @Nullable Integer batch;

    @Option(
            names = "--accumulation",
            order = 23,
            paramLabel = "N",
            description = "Batches of a step. Default: ${DEFAULT-VALUE}.")
    private int accumulation = TrainingOptions.DEFAULTS.accumulation();

    @Option(
            names = "--learning-rate",
            order = 24,
            paramLabel = "NUMBER",
            description = "Default: 2e-4, of a reward model 1e-4, of grpo 1e-5.")
    private @Nullable Double learningRate;

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

    @Option(names = "--seed", order = 33, paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private long seed = TrainingOptions.DEFAULTS.seed();

    @Option(
            names = "--eval-every",
            order = 34,
            paramLabel = "N",
            description = "Steps between evaluations; what had the best loss is written.")
    private int evaluateEvery = TrainingOptions.DEFAULTS.evaluateEvery();

    @Option(
            names = "--patience",
            order = 35,
            paramLabel = "N",
            description = "End after so many evaluations without improvement. Default: never.")
    private int patience = TrainingOptions.DEFAULTS.patience();

    @Option(
            names = "--keep-last",
            order = 35,
            description = "Write what the last step gave, not what had the best loss of evaluation rows.")
    private boolean keepLast;

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

    /** The changes that are trained. */
    LoraOptions lora(PolluxCommand command) {
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
            default -> throw command.usage("--method must be lora, rslora, dora, pissa or olora but was " + method);
        }
        return builder.build();
    }

    /** The options of the run over those of {@code defaults}. */
    TrainingOptions.Builder options(PolluxCommand command, TrainingOptions.Builder defaults) {
        Optimizer chosen = switch (optimizer.toLowerCase(Locale.ROOT)) {
            case "adamw" -> Optimizer.adamW();
            case "lion" -> Optimizer.lion();
            case "adafactor" -> Optimizer.adafactor();
            case "sgd" -> Optimizer.sgd();
            default -> throw command.usage("--optimizer must be adamw, lion, adafactor or sgd but was " + optimizer);
        };
        if (batch != null) {
            defaults.batchSize(batch);
        }
        if (learningRate != null) {
            defaults.learningRate(learningRate);
        }
        return defaults.epochs(epochs)
                .maxSteps(maxSteps)
                .accumulation(accumulation)
                .optimizer(chosen.withWeightDecay(weightDecay))
                .schedule(LearningRateSchedule.named(schedule, Map.of()))
                .warmUp(warmUp)
                .loraPlusRatio(loraPlus)
                .seed(seed)
                .evaluateEvery(evaluateEvery)
                .patience(patience)
                .keepBest(!keepLast)
                .saveEvery(saveEvery)
                .logEvery(logEvery)
                .weightMemory(memory << 20);
    }

    /** Prints a reported step. */
    static void show(TrainingStep step, PolluxCommand command) {
        if (command.json()) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("step", step.step());
            line.put("steps", step.steps());
            line.put("epoch", step.epoch());
            line.put("loss", step.loss());
            line.put("grad_norm", step.gradientNorm());
            line.put("learning_rate", step.learningRate());
            line.put("num_tokens", step.tokens());
            line.putAll(new TreeMap<>(step.metrics()));
            command.output().json(line);
        } else {
            Duration left =
                    step.elapsed().multipliedBy(step.steps() - step.step()).dividedBy(Math.max(1, step.step()));
            command.output()
                    .note(String.format(
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

    /** Two measures, those that there are. */
    static Map<String, Object> both(List<Double> before, List<Double> after) {
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
