package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.EncoderModel;
import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.encoder.BundledCheckpoint;
import dev.pollux.inference.encoder.EncoderInputs;
import dev.pollux.inference.hub.PolluxCache;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Adapts an embedder or a reranker to queries and documents, by LoRA on the CPU.
 *
 * <pre>{@code
 * TrainingReport report = EncoderTrainer.bundled(LoraOptions.DEFAULTS)
 *         .savedTo(folder)
 *         .train(RelevanceDataset.jsonl(path), EncoderObjective.contrastive(), TrainingOptions.DEFAULTS)
 *         .run();
 * Embedder embedder = OnnxEmbedder.open(folder);
 * }</pre>
 *
 * <p>What is saved is a model: the changes are merged into its matrices, in 32-bit floats, for
 * {@link dev.pollux.inference.encoder.OnnxEmbedder}, {@link dev.pollux.inference.encoder.OnnxReranker} and sentence-transformers.
 * The folder {@code adapter} in it has the changes in PEFT's format. A reranker can be trained from a cross-encoder with one
 * label, or from an encoder without a head, which then gets a new one.
 *
 * <p><em>Immutable; jobs of one trainer run one at a time.</em>
 */
public final class EncoderTrainer {

    private final Path model;
    private final LoraOptions lora;
    private final @Nullable Path start;
    private final @Nullable RelevanceDataset evaluation;
    private final @Nullable Path saved;
    private final Consumer<TrainingStep> listener;

    private EncoderTrainer(
            Path model,
            LoraOptions lora,
            @Nullable Path start,
            @Nullable RelevanceDataset evaluation,
            @Nullable Path saved) {
        this(model, lora, start, evaluation, saved, step -> {});
    }

    private EncoderTrainer(
            Path model,
            LoraOptions lora,
            @Nullable Path start,
            @Nullable RelevanceDataset evaluation,
            @Nullable Path saved,
            Consumer<TrainingStep> listener) {
        this.model = model;
        this.lora = lora;
        this.start = start;
        this.evaluation = evaluation;
        this.saved = saved;
        this.listener = listener;
    }

    /**
     * Trains the model of a folder: configuration and safetensors of transformers, {@code tokenizer.json}, and the files of
     * sentence-transformers if there are any.
     */
    public static EncoderTrainer on(Path model, LoraOptions options) {
        return new EncoderTrainer(model, options, null, null, null);
    }

    /**
     * Trains the bundled embedding model, all-MiniLM-L6-v2. The first time, its weights are written to the cache as floats, 91 MB.
     *
     * @throws dev.pollux.StorageException if its artifact is not on the class path or the cache cannot be written
     */
    public static EncoderTrainer bundled(LoraOptions options) {
        return on(BundledCheckpoint.in(PolluxCache.directory(), JobContext.NONE), options);
    }

    /**
     * Trains a stored adapter further.
     *
     * @param adapter a folder in PEFT's format
     */
    public static EncoderTrainer continuing(Path model, Path adapter) {
        return new EncoderTrainer(model, LoraOptions.DEFAULTS, adapter, null, null);
    }

    /** The same trainer, which measures these rows before, during and after a run. */
    public EncoderTrainer evaluatedBy(RelevanceDataset rows) {
        return new EncoderTrainer(model, lora, start, rows, saved, listener);
    }

    /**
     * The same trainer, which saves the model when a run ends.
     *
     * @param folder must not exist or be empty. With {@link TrainingOptions#saveEvery()}, states are saved beside it, from
     *     which the next run with equal options continues
     */
    public EncoderTrainer savedTo(Path folder) {
        return new EncoderTrainer(model, lora, start, evaluation, folder, listener);
    }

    /** The same trainer, which reports steps to a listener on the thread of the job. */
    public EncoderTrainer onStep(Consumer<TrainingStep> newListener) {
        return new EncoderTrainer(model, lora, start, evaluation, saved, newListener);
    }

    /**
     * A run that has not been started. Of the options, those of packing and of trained tokens have no effect.
     *
     * @throws dev.pollux.MalformedFileException when it runs, if a row does not fit the objective, before anything is written
     * @throws dev.pollux.UnsupportedModelException when it runs, if the model cannot be trained
     */
    public Job<TrainingReport> train(RelevanceDataset rows, EncoderObjective objective, TrainingOptions options) {
        return Job.of(
                "train",
                context -> prepared(
                        rows,
                        objective,
                        options,
                        prepared ->
                                new TrainingRun<>(new EncoderTask(prepared), options, saved, listener).run(context)));
    }

    /** What a run would do, without running the model. */
    public TrainingPlan plan(RelevanceDataset rows, EncoderObjective objective, TrainingOptions options) {
        return prepared(rows, objective, options, Planning::of);
    }

    /** Everything that a run needs. */
    record Prepared(
            Path model,
            EncoderBase base,
            EncoderInputs inputs,
            EncoderObjective objective,
            TrainingOptions options,
            EncoderRows rows,
            Optional<EncoderRows> evaluation,
            EncoderModel.Setting setting,
            Trainables trainables,
            Residuals residuals,
            PeftConfig settings,
            String digest) {}

    private <R> R prepared(
            RelevanceDataset data, EncoderObjective objective, TrainingOptions options, Function<Prepared, R> use) {
        try (EncoderInputs inputs = EncoderInputs.open(model, options.maxLength());
                EncoderBase base = EncoderBase.open(inputs, objective.scores(), options.seed())) {
            if (!objective.scores()) {
                inputs.requireNoModules();
            }
            EncoderRows rows = EncoderRows.of(data, objective, inputs);
            Optional<EncoderRows> others =
                    Optional.ofNullable(evaluation).map(set -> EncoderRows.of(set, objective, inputs));
            EncoderModel.Setting setting =
                    new EncoderModel.Setting(base.graph(), base.tensors(), options.threads(), options.weightMemory());
            Changes changes = changes(base, setting, options);
            String digest = objective + "|" + options + "|" + lora + "|" + start + "|" + rows.size() + "|"
                    + rows.tokens() + "|" + model;
            return use.apply(new Prepared(
                    model,
                    base,
                    inputs,
                    objective,
                    options,
                    rows,
                    others,
                    setting,
                    changes.trainables,
                    changes.residuals,
                    changes.settings,
                    digest));
        }
    }

    private record Changes(Trainables trainables, Residuals residuals, PeftConfig settings) {}

    private Changes changes(EncoderBase base, EncoderModel.Setting setting, TrainingOptions options) {
        Path from = start;
        if (from != null) {
            try (LoraAdapter stored = LoraAdapter.load(from)) {
                Trainables continued =
                        AdapterFile.load(stored, base.tensors().tensors().keySet());
                return new Changes(continued, Residuals.NONE, stored.settings());
            }
        }
        Set<String> matrices = new LinkedHashSet<>(setting.matrices());
        base.whole().forEach(matrices::remove);
        NewAdapter adapter = NewAdapter.of(lora, base.tensors(), matrices, options.seed());
        List<Parameter> tensors = new ArrayList<>(adapter.trainables().tensors());
        tensors.addAll(base.head());
        return new Changes(
                new Trainables(adapter.trainables().modules(), tensors, lora.dropout()),
                adapter.residuals(),
                settings(base));
    }

    private PeftConfig settings(EncoderBase base) {
        Set<String> heads = new TreeSet<>();
        for (String tensor : base.whole()) {
            heads.add(tensor.contains("pooler.") ? "pooler" : tensor.substring(0, tensor.indexOf('.')));
        }
        PeftConfig.Builder builder = PeftConfig.builder()
                .baseModel(String.valueOf(model.getFileName()))
                .dropout(lora.dropout())
                .set("task_type", base.scores() ? "SEQ_CLS" : "FEATURE_EXTRACTION")
                .set("use_rslora", lora.rankStabilized() && lora.initialization() == LoraOptions.Initialization.KAIMING)
                .set("inference_mode", true)
                .set("bias", lora.bias().setting());
        if (!heads.isEmpty()) {
            builder.modulesToSave(heads);
        }
        return builder.build();
    }

    /** The names of the changed matrices. */
    static List<String> names(Trainables trainables) {
        return trainables.modules().stream().map(LoraModule::tensor).toList();
    }
}
