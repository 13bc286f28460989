package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.hub.PolluxCache;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.LayerName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Trains LoRA adapters (Hu et al., arXiv:2106.09685) of a checkpoint on the CPU.
 *
 * <pre>{@code
 * TrainingReport report = LoraTrainer.on(checkpoint, LoraOptions.builder().rank(16).build())
 *         .train(Dataset.jsonl(path), Objective.sft(), TrainingOptions.builder().epochs(2).build())
 *         .run();
 * report.adapter().save(folder);
 * }</pre>
 *
 * <p>The checkpoint is read only, may be quantized, and must stay open while a job runs. Layers that are trained have attention;
 * recurrent layers are refused. <em>Immutable; jobs of one trainer run one at a time.</em>
 */
public final class LoraTrainer {

    private final Checkpoint checkpoint;
    private final LoraOptions lora;
    private final @Nullable Path start;
    private final @Nullable Dataset evaluation;
    private final @Nullable Path saved;
    private final Consumer<TrainingStep> listener;
    private final Teacher.@Nullable Source teacher;

    private LoraTrainer(
            Checkpoint checkpoint,
            LoraOptions lora,
            @Nullable Path start,
            @Nullable Dataset evaluation,
            @Nullable Path saved,
            Consumer<TrainingStep> listener,
            Teacher.@Nullable Source teacher) {
        this.checkpoint = checkpoint;
        this.lora = lora;
        this.start = start;
        this.evaluation = evaluation;
        this.saved = saved;
        this.listener = listener;
        this.teacher = teacher;
    }

    /** Trains a new adapter. */
    public static LoraTrainer on(Checkpoint checkpoint, LoraOptions options) {
        return new LoraTrainer(checkpoint, options, null, null, null, step -> {}, null);
    }

    /**
     * Trains a stored adapter further. For preferences, it is the reference, too.
     *
     * @param adapter a folder in PEFT's format
     */
    public static LoraTrainer continuing(Checkpoint checkpoint, Path adapter) {
        return new LoraTrainer(checkpoint, LoraOptions.DEFAULTS, adapter, null, null, step -> {}, null);
    }

    /** The same trainer, which measures these rows before, during and after a run. */
    public LoraTrainer evaluatedBy(Dataset rows) {
        return new LoraTrainer(checkpoint, lora, start, rows, saved, listener, teacher);
    }

    /**
     * The same trainer, with a teacher for {@link Objective#distillation()}. What the teacher says about a text is computed once and
     * kept in Pollux's cache, 4 bytes × its hidden size for each trained token.
     *
     * @param model a checkpoint with the same tokenizer, which must stay open while a job runs
     */
    public LoraTrainer taughtBy(Checkpoint model) {
        return taughtBy(model, PolluxCache.directory());
    }

    /**
     * The same with another cache.
     *
     * @param cache a folder, which need not exist
     */
    public LoraTrainer taughtBy(Checkpoint model, Path cache) {
        return new LoraTrainer(checkpoint, lora, start, evaluation, saved, listener, new Teacher.Source(model, cache));
    }

    /**
     * The same trainer, which saves the adapter when a run ends.
     *
     * @param folder must not exist or be empty. With {@link TrainingOptions#saveEvery()}, states are saved beside it, from
     *     which the next run with equal options continues
     */
    public LoraTrainer savedTo(Path folder) {
        return new LoraTrainer(checkpoint, lora, start, evaluation, folder, listener, teacher);
    }

    /** The same trainer, which reports steps to a listener on the thread of the job. */
    public LoraTrainer onStep(Consumer<TrainingStep> newListener) {
        return new LoraTrainer(checkpoint, lora, start, evaluation, saved, newListener, teacher);
    }

    /**
     * A run that has not been started.
     *
     * @throws MalformedFileException when it runs, if a row does not fit the objective or the model, before anything is written
     */
    public Job<TrainingReport> train(Dataset rows, Objective objective, TrainingOptions options) {
        return Job.of("train", context -> {
            try (RowTokenizer tokenizer = RowTokenizer.of(checkpoint, rows.name(), options.maxLength())) {
                Prepared prepared = prepare(rows, objective, options, tokenizer);
                if (objective instanceof GrpoObjective rated) {
                    try (RolloutSampler sampler = new RolloutSampler(checkpoint, rated, options)) {
                        return run(prepared, sampler, context);
                    }
                }
                return run(prepared, null, context);
            }
        });
    }

    private TrainingReport run(Prepared prepared, @Nullable RolloutSampler sampler, JobContext context) {
        return new TrainingRun<>(new DecoderTask(prepared, sampler), prepared.options(), saved, listener).run(context);
    }

    /** What a run would do, without running the model. */
    public TrainingPlan plan(Dataset rows, Objective objective, TrainingOptions options) {
        try (RowTokenizer tokenizer = RowTokenizer.of(checkpoint, rows.name(), options.maxLength())) {
            Prepared prepared = prepare(rows, objective, options, tokenizer);
            return Planning.of(checkpoint, prepared);
        }
    }

    /**
     * The first rows with the tokens that are trained.
     *
     * @param count the number of rows
     */
    public List<ExplainedRow> explain(Dataset rows, Objective objective, TrainingOptions options, int count) {
        try (RowTokenizer tokenizer = RowTokenizer.of(checkpoint, rows.name(), options.maxLength())) {
            List<ExplainedRow> explained = new ArrayList<>();
            for (TrainingRow row : rows.rows().subList(0, Math.min(count, rows.size()))) {
                List<RowTokenizer.Tokens> all = switch (objective.rows()) {
                    case SEQUENCES -> List.of(tokenizer.supervised(row, options.trainedTokens()));
                    case PAIRS -> tokenizer.pair(row);
                    case UNPAIRED -> List.of(tokenizer.unpaired(row));
                    case PROMPTS -> List.of();
                };
                for (RowTokenizer.Tokens tokens : all) {
                    explained.add(explained(tokenizer.tokenizer(), row, tokens, options.maxLength()));
                }
            }
            return explained;
        }
    }

    private static ExplainedRow explained(
            Tokenizer tokenizer, TrainingRow row, RowTokenizer.Tokens tokens, int maxLength) {
        List<ExplainedRow.Token> shown = new ArrayList<>();
        for (int i = 0; i < Math.min(maxLength, tokens.ids().length); i++) {
            String text = tokenizer.decode(new int[] {tokens.ids()[i]}, false);
            shown.add(new ExplainedRow.Token(tokens.ids()[i], text, i > 0 && tokens.trained()[i]));
        }
        return new ExplainedRow(row.number(), shown, Math.max(0, tokens.ids().length - maxLength));
    }

    /** Everything that a run needs. */
    record Prepared(
            Objective objective,
            TrainingOptions options,
            PreparedRows rows,
            Optional<PreparedRows> evaluation,
            ModelPair.Setting setting,
            Trainables trainables,
            Residuals residuals,
            Optional<Trainables> reference,
            Optional<Teacher.Source> teacher,
            PeftConfig settings,
            Set<Integer> ends,
            String digest) {}

    private Prepared prepare(Dataset data, Objective objective, TrainingOptions options, RowTokenizer tokenizer) {
        if (evaluation != null && objective.rows() == Objective.Rows.PROMPTS) {
            throw new IllegalArgumentException(
                    "grpo has no evaluation rows: its reports have the rewards; leave them out");
        }
        requireTeacher(objective);
        PreparedRows rows = PreparedRows.of(data, objective, tokenizer, options);
        Optional<PreparedRows> others =
                Optional.ofNullable(evaluation).map(set -> PreparedRows.of(set, objective, tokenizer, options));
        if (rows.size() == 0) {
            throw new MalformedFileException(data.name() + " has no row with a trained token within "
                    + options.maxLength() + " tokens; raise the largest length");
        }
        int written = objective instanceof GrpoObjective rated ? rated.options().maxTokens() : 0;
        int longest = Math.max(
                rows.longest() + written, others.map(PreparedRows::longest).orElse(2));
        ModelPair.Setting setting = new ModelPair.Setting(
                checkpoint.config(),
                checkpoint.settings(),
                checkpoint.tensors(),
                Math.max(longest, DecoderSteps.ROW),
                options.threads(),
                options.weightMemory(),
                Kept.within(options.activationMemory()));
        Trainables trainables;
        Residuals residuals = Residuals.NONE;
        PeftConfig settings = settings();
        Path from = start;
        if (from == null) {
            NewAdapter adapter = NewAdapter.of(lora, checkpoint.tensors(), ModelPair.matrices(setting), options.seed());
            trainables = adapter.trainables();
            residuals = adapter.residuals();
        } else {
            try (LoraAdapter stored = LoraAdapter.load(from)) {
                Set<String> names = new HashSet<>(checkpoint.tensors().tensors().keySet());
                if (objective.scoresTexts()) {
                    names.add(Trainables.SCORE);
                }
                trainables = AdapterFile.load(stored, names);
                settings = stored.settings();
            }
        }
        if (objective.scoresTexts()) {
            trainables = scoring(trainables, options.seed());
            settings = settings.toBuilder().set("task_type", "SEQ_CLS").build();
        }
        Optional<Trainables> reference = !objective.needsReference()
                ? Optional.empty()
                : Optional.of(from == null ? Trainables.NONE : trainables.copy());
        String digest = objective + "|" + options + "|" + lora + "|" + from + "|" + rows.size() + "|" + rows.tokens()
                + "|" + rows.targets() + "|" + checkpoint.path()
                + (teacher == null ? "" : "|" + teacher.checkpoint().path());
        return new Prepared(
                objective,
                options,
                rows,
                others,
                setting,
                trainables,
                residuals,
                reference,
                Optional.ofNullable(teacher),
                settings,
                Set.copyOf(checkpoint.endTokens()),
                digest);
    }

    private void requireTeacher(Objective objective) {
        if (objective.needsTeacher() != (teacher != null)) {
            throw new IllegalArgumentException(
                    objective.needsTeacher()
                            ? objective.name() + " needs a teacher; say by which model it is taught"
                            : objective.name() + " has no teacher; leave it out, or train by distillation");
        }
        if (teacher != null) {
            teacher.requireSame(checkpoint);
        }
    }

    /** The same changes with a head of one score, a new one unless they have one. */
    private Trainables scoring(Trainables changes, long seed) {
        List<Parameter> others = new ArrayList<>(changes.tensors());
        if (others.stream().anyMatch(one -> LayerName.isHead(one.tensor()))) {
            throw new IllegalArgumentException(
                    "A reward model has a head of its own, so lm_head cannot be trained; leave it out of the modules to save");
        }
        if (others.stream().noneMatch(one -> one.tensor().equals(Trainables.SCORE))) {
            others.add(NewAdapter.score(checkpoint.config().hiddenSize(), seed));
        }
        return new Trainables(changes.modules(), others, changes.dropout());
    }

    private PeftConfig settings() {
        List<String> modules = lora.targets().contains(LoraOptions.ALL_LINEAR) ? List.of() : lora.targets();
        PeftConfig.Builder builder = PeftConfig.builder()
                .baseModel(checkpoint.path().getFileName().toString())
                .dropout(lora.dropout())
                .set("use_rslora", lora.rankStabilized() && lora.initialization() == LoraOptions.Initialization.KAIMING)
                .set("inference_mode", true)
                .set("bias", lora.bias().setting());
        if (!modules.isEmpty() && lora.layers().isEmpty() && lora.exclude().isEmpty()) {
            builder.targetModules(new TreeSet<>(modules));
        }
        return builder.build();
    }

    /** The names of the changed matrices of an adapter. */
    static List<String> names(Trainables trainables) {
        return trainables.modules().stream().map(LoraModule::tensor).toList();
    }
}
