package dev.pollux.samples.cli;

import dev.pollux.inference.quantize.KernelProbe;
import dev.pollux.inference.quantize.KernelTime;
import dev.pollux.inference.quantize.LossGoal;
import dev.pollux.inference.quantize.MeasuredQuantizer;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.inference.quantize.PrecisionPlan;
import dev.pollux.inference.quantize.QualityReport;
import dev.pollux.inference.quantize.QuantizerOptions;
import dev.pollux.inference.quantize.SensitivityProbe;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.rag.evaluate.RetrievalCollection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code quantize} does with a model in ONNX: plan or quantize, measure, report.
 *
 * @param quality what is measured
 */
record QuantizationSteps(PolluxCommand command, QualityOptions quality, ResourceOptions resources) {

    /**
     * A quantization.
     *
     * @param free whether the bits of matrices may be chosen
     */
    record Request(Path model, Path target, QuantizationRecipe recipe, boolean free, boolean dryRun) {}

    private QuantizerOptions options() {
        return QuantizerOptions.builder()
                .threads(resources.threads())
                .cache(resources.cache())
                .build();
    }

    /** Does it. */
    int take(Request request) {
        Optional<LossGoal> goal = quality.goal(command, request.free());
        if (request.dryRun()) {
            return planned(request, goal);
        }
        QualityReport done = goal.isPresent()
                ? command.run(MeasuredQuantizer.of(options(), ModelsCompared.engine(resources))
                        .quantize(request.model(), request.target(), request.recipe(), goal.get()))
                : QualityReport.builder(
                                request.model(),
                                command.run(OnnxQuantizer.create(options())
                                        .quantize(request.model(), request.target(), request.recipe())))
                        .build();
        if (quality.beir().isPresent()) {
            done = retrieved(done, quality.beir().get());
        }
        QualityReport all = done;
        quality.report().ifPresent(all::write);
        print(all);
        return ExitCode.OK;
    }

    private QualityReport retrieved(QualityReport done, Path folder) {
        RetrievalCollection collection = RetrievalCollection.beir(folder);
        BeirQuality quality = new BeirQuality(collection, resources);
        return done.withRetrieval(
                collection.name(),
                quality.ndcg(done.model(), command),
                quality.ndcg(done.done().folder(), command));
    }

    private int planned(Request request, Optional<LossGoal> goal) {
        QuantizationRecipe recipe = request.recipe();
        Optional<PrecisionPlan> chosen = goal.filter(found -> found.budget().isPresent())
                .map(found -> command.run(SensitivityProbe.of(options())
                                .measure(request.model(), request.recipe(), found.sample(), quality.hasBudget()))
                        .choose(found.budget().orElseThrow()));
        if (chosen.isPresent()) {
            recipe = chosen.get().recipe();
        }
        OnnxQuantizer quantizer = OnnxQuantizer.create(options());
        QuantizationPreview preview = quantizer.plan(request.model(), recipe);
        Report report = new Report()
                .add("model", request.model().toString())
                .add("target", request.target().toString())
                .add("dryRun", true, "nothing is written")
                .add("recipe", QualityReport.values(recipe), told(recipe))
                .add("bytesBefore", preview.bytesBefore(), Texts.bytes(preview.bytesBefore()))
                .add("bytesAfter", preview.bytesAfter(), Texts.bytes(preview.bytesAfter()))
                .add("layers", QualityReport.layers(preview.layers()), "");
        QuantizationLines.layers(preview.layers(), report);
        report.add("kept", QualityReport.kept(preview.kept()), "").add("notices", preview.notices(), "");
        QuantizationLines.kept(preview.kept(), report);
        preview.notices().forEach(notice -> report.text("notice", notice));
        chosen.ifPresent(plan -> report.add(
                "predictedKl",
                plan.predictedKl(),
                QuantizationLines.decimal(plan.predictedKl()) + " without activations"));
        kernels(request.model(), recipe, report);
        Duration time = quantizer.estimate(request.model(), recipe);
        report.add("memory", preview.memory(), Texts.bytes(preview.memory()))
                .add("estimatedMillis", time.toMillis(), "about " + Texts.seconds(time) + " without hashing")
                .print(command);
        return ExitCode.OK;
    }

    private static String told(QuantizationRecipe recipe) {
        return switch (recipe.method()) {
            case FLOAT16, INT8, INT8_STATIC -> recipe.method().text();
            default -> recipe.method().text() + ", " + recipe.bits() + " bits, blocks of " + recipe.blockSize();
        };
    }

    private void kernels(Path model, QuantizationRecipe recipe, Report report) {
        if (!quality.measuresKernels()) {
            return;
        }
        List<Map<String, Object>> json = new ArrayList<>();
        for (KernelTime time : command.run(KernelProbe.of(resources.threads()).measure(model, recipe))) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("bits", time.bits());
            one.put("blockSize", time.blockSize());
            one.put("oneToken", time.oneToken());
            one.put("manyTokens", time.manyTokens());
            one.put("slow", time.isSlow());
            json.add(one);
            report.text(
                    time.bits() + " bits, blocks of " + time.blockSize(),
                    String.format(
                            Locale.ROOT,
                            "%.2f of the time of floats for a token, %.2f for 128 tokens%s",
                            time.oneToken(),
                            time.manyTokens(),
                            time.isSlow() ? "; no fast kernel: choose other bits or blocks" : ""));
        }
        report.add("kernels", json, "");
    }

    private void print(QualityReport done) {
        Report report = new Report();
        Map<String, Object> values = new LinkedHashMap<>(done.values());
        values.forEach((name, value) -> report.add(name, value, ""));
        report.text("model", done.model().toString())
                .text("target", done.done().folder().toString())
                .text("recipe", told(done.done().recipe()))
                .text("bytes before", Texts.bytes(done.done().bytesBefore()))
                .text("bytes after", Texts.bytes(done.done().bytesAfter()))
                .text("relative error", QuantizationLines.decimal(done.done().relativeError()));
        QuantizationLines.layers(done.done().layers(), report);
        QuantizationLines.kept(done.done().kept(), report);
        QuantizationLines.loss(done, report);
        kernels(done.model(), done.done().recipe(), report);
        report.text("elapsed", Texts.seconds(done.done().elapsed()));
        quality.report()
                .ifPresent(folder ->
                        report.text("report", folder.resolve("report.html").toString()));
        report.print(command);
    }
}
