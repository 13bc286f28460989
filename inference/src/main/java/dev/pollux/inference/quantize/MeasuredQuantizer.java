package dev.pollux.inference.quantize;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.calibration.EmbedderComparer;
import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.LongText;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Quantizes a model, compares it with its original, and publishes it only if it keeps a goal.
 *
 * <pre>{@code
 * LossGoal goal = LossGoal.on(text).withBudget(new PrecisionBudget.Divergence(0.02));
 * QualityReport report = MeasuredQuantizer.of(QuantizerOptions.DEFAULTS, EngineOptions.DEFAULTS)
 *         .quantize(model, target, QuantizationRecipe.DEFAULTS, goal)
 *         .run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class MeasuredQuantizer {

    /*
     * Predictions are those of float arithmetic, and the kernels round activations too. So a budget of KL is aimed at with a margin,
     * the finished model is measured, and if it loses too much, the aim is lowered by the excess and the model is made again. The
     * losses of single matrices are measured once.
     */

    private static final double MARGIN = 0.8;
    private static final int ATTEMPTS = 3;
    private static final int LEAST_PASSAGE = 40;
    private static final int MOST_PASSAGES = 256;

    private final QuantizerOptions options;
    private final EngineOptions engine;

    private MeasuredQuantizer(QuantizerOptions options, EngineOptions engine) {
        this.options = options;
        this.engine = engine;
    }

    /**
     * A quantizer.
     *
     * @param engine how models are opened for the comparison; a checkpoint is exported with float weights
     */
    public static MeasuredQuantizer of(QuantizerOptions options, EngineOptions engine) {
        return new MeasuredQuantizer(
                options,
                engine.toBuilder()
                        .export(ExportOptions.builder()
                                .weights(WeightFormat.FLOAT)
                                .maxContext(engine.export().maxContext())
                                .build())
                        .build());
    }

    /**
     * Quantizes a model into {@code target}, a folder that must not exist.
     *
     * @return a job; running it fails like {@link OnnxQuantizer#quantize}, {@link SensitivityProbe#measure} and {@link
     *     ModelComparer#compare}, and with {@link LossExceededException} if the finished model loses more than the goal allows.
     *     Then nothing is left behind
     */
    public Job<QualityReport> quantize(Path model, Path target, QuantizationRecipe recipe, LossGoal goal) {
        return Job.of("quantize", context -> {
            OnnxQuantizer.checkTarget(model, target);
            if (goal.budget().isEmpty()) {
                return once(new Attempt(model, target, recipe, Optional.empty()), goal, context);
            }
            PrecisionBudget budget = goal.budget().get();
            Sensitivity sensitivity = context.run(SensitivityProbe.of(options)
                    .measure(model, recipe, goal.sample(), budget instanceof PrecisionBudget.Bytes));
            if (budget instanceof PrecisionBudget.Divergence kl) {
                return aimed(
                        new Attempt(model, target, recipe, Optional.empty()), sensitivity, kl.most(), goal, context);
            }
            PrecisionPlan plan = sensitivity.choose(budget);
            return once(new Attempt(model, target, plan.recipe(), Optional.of(plan)), goal, context);
        });
    }

    private QualityReport once(Attempt request, LossGoal goal, JobContext context) {
        try {
            return attempt(request, goal, context);
        } catch (TooMuch e) {
            throw e.told();
        }
    }

    private record Attempt(Path model, Path target, QuantizationRecipe recipe, Optional<PrecisionPlan> plan) {

        Attempt with(PrecisionPlan chosen) {
            return new Attempt(model, target, chosen.recipe(), Optional.of(chosen));
        }
    }

    private QualityReport aimed(
            Attempt request, Sensitivity sensitivity, double most, LossGoal goal, JobContext context) {
        LossGoal limited = goal.mostKl().isPresent() ? goal : goal.withMostKl(most);
        double aim = MARGIN * most;
        for (int attempt = 1; ; attempt++) {
            PrecisionPlan plan = sensitivity.choose(new PrecisionBudget.Divergence(aim));
            try {
                return attempt(request.with(plan), limited, context);
            } catch (TooMuch e) {
                aim -= Math.max(e.excess(), 0) + (1 - MARGIN) * most / 2;
                if (attempt == ATTEMPTS || aim <= 0) {
                    throw e.told();
                }
                context.notice(String.format(
                        Locale.ROOT,
                        "The KL is %.3g above the limit; the model is made again with more bits",
                        e.excess()));
            }
        }
    }

    /** A finished model that lost more than it may. */
    private static final class TooMuch extends RuntimeException {

        private static final long serialVersionUID = 1L;
        private final double kl;
        private final double most;

        TooMuch(String message, double kl, double most) {
            super(message);
            this.kl = kl;
            this.most = most;
        }

        double excess() {
            return kl - most;
        }

        LossExceededException told() {
            return new LossExceededException(String.valueOf(getMessage()));
        }
    }

    private QualityReport attempt(Attempt attempt, LossGoal goal, JobContext context) {
        Path whole = attempt.target().toAbsolutePath().normalize();
        Path candidate = whole.resolveSibling("." + whole.getFileName() + ".candidate");
        try {
            delete(candidate);
            QuantizationReport done =
                    context.run(OnnxQuantizer.create(options).quantize(attempt.model(), candidate, attempt.recipe()));
            QualityReport report = measured(attempt, done, goal, context);
            check(report, goal, attempt.target());
            ArtifactManifest.read(candidate)
                    .ifPresent(manifest -> manifest.withScores(report.scores()).write(candidate));
            context.checkCancelled();
            Files.move(candidate, attempt.target(), StandardCopyOption.ATOMIC_MOVE);
            return report;
        } catch (IOException e) {
            throw new StorageException("Cannot publish " + attempt.target() + ": " + e, e);
        } finally {
            delete(candidate);
        }
    }

    private QualityReport measured(Attempt attempt, QuantizationReport done, LossGoal goal, JobContext context) {
        Path candidate = done.folder();
        QuantizationReport named = new QuantizationReport(
                attempt.target(),
                done.recipe(),
                done.layers(),
                done.kept(),
                done.bytesBefore(),
                done.bytesAfter(),
                done.notices(),
                done.elapsed());
        QualityReport.Builder report = QualityReport.builder(attempt.model(), named);
        attempt.plan().ifPresent(report::precision);
        if (ProbeSession.isDecoder(candidate)) {
            report.comparison(context.run(ModelComparer.of(engine).compare(attempt.model(), candidate, goal.text())));
        } else if (goal.mostKl().isPresent()) {
            throw new UnsupportedModelException("mostKl needs a decoder, whose KL can be measured, but "
                    + attempt.model() + " is none; leave it out");
        } else {
            EmbedderOptions embedder = EmbedderOptions.builder()
                    .cache(engine.cache())
                    .workers(engine.threads())
                    .longText(LongText.WINDOWED)
                    .build();
            report.embeddings(context.run(
                    EmbedderComparer.of(embedder).compare(attempt.model(), candidate, passages(goal.text()))));
        }
        return report.build();
    }

    /** At most 256 paragraphs of at least 40 characters, at equal distances. */
    static List<String> passages(String text) {
        List<String> all = Arrays.stream(text.split("\\R\\s*\\R"))
                .map(String::strip)
                .filter(passage -> passage.length() >= LEAST_PASSAGE)
                .toList();
        int count = Math.min(MOST_PASSAGES, all.size());
        return IntStream.range(0, count)
                .mapToObj(i -> all.get((int) ((long) i * all.size() / count)))
                .toList();
    }

    private static void check(QualityReport report, LossGoal goal, Path target) {
        Optional<ModelComparison> found = report.comparison();
        if (goal.mostKl().isEmpty() || found.isEmpty()) {
            return;
        }
        double most = goal.mostKl().getAsDouble();
        ModelComparison.Interval kl = found.get().kl();
        if (kl.value() > most) {
            throw new TooMuch(
                    String.format(
                            Locale.ROOT,
                            "The KL of %s must be at most %s but is %.4f (%.4f to %.4f); nothing was written: allow more,"
                                    + " or give it more bits",
                            target,
                            most,
                            kl.value(),
                            kl.low(),
                            kl.high()),
                    kl.value(),
                    most);
        }
    }

    private static void delete(Path folder) {
        try {
            WorkFolder.deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }
}
