package dev.pollux.samples.cli;

import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.ModelBenchmark;
import dev.pollux.inference.engine.ModelBenchmark.Rate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Measures a model. */
@Command(
        name = "bench",
        description = {
            "Measure how fast a language model reads and writes on this machine, and what memory it takes.",
            "",
            "A prompt of 128, 512 and 2048 tokens is read, and tokens are written after it; 1, 2, 4 and 8 requests write at"
                    + " the same time; a text is repeated with drafts and without. What does not fit the model's context is"
                    + " left out. Other work on the machine makes the figures worse.",
            "",
            "--json: {loadMillis, residentBytes, prefill: [{tokens, tokensPerSecond}], decode: [{context,"
                    + " tokensPerSecond}], batch: [{sequences, tokensPerSecond}], drafting: {tokensPerStep, speedup}}."
        },
        footer = {"  pollux bench smollm2-135m-instruct", "  pollux bench --json model.gguf"})
final class BenchCommand extends PolluxCommand {

    @Parameters(
            paramLabel = "MODEL",
            description =
                    "A GGUF file, a Hugging Face folder, an exported folder, a ready-made ONNX folder or one of its"
                            + " .onnx files, hf:owner/name, or the name of an embedded model.")
    private String model = "";

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        EngineOptions options = EngineOptions.builder()
                .threads(resources.threads())
                .cache(resources.cache())
                .build();
        ModelBenchmark found = run(ModelBenchmark.job(ModelOptions.locate(model, this, resources), options));
        Report report = new Report()
                .add("loadMillis", found.load().toMillis(), Texts.seconds(found.load()))
                .add("residentBytes", found.residentBytes(), Texts.bytes(found.residentBytes()));
        add(report, "prefill", "tokens", found.prefill());
        add(report, "decode", "context", found.decode());
        add(report, "batch", "sequences", found.batch());
        Map<String, Object> drafting = new LinkedHashMap<>();
        drafting.put("tokensPerStep", found.drafting().tokensPerStep());
        drafting.put("speedup", found.drafting().speedup());
        report.add(
                "drafting",
                drafting,
                String.format(
                        Locale.ROOT,
                        "%.2f tokens a step, %.2f times as fast",
                        found.drafting().tokensPerStep(),
                        found.drafting().speedup()));
        report.print(this);
        return ExitCode.OK;
    }

    private static void add(Report report, String name, String size, List<Rate> rates) {
        List<Map<String, Object>> json = new ArrayList<>();
        List<String> text = new ArrayList<>();
        for (Rate rate : rates) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put(size, rate.size());
            one.put("tokensPerSecond", rate.tokensPerSecond());
            json.add(one);
            text.add(String.format(Locale.ROOT, "%d: %.1f", rate.size(), rate.tokensPerSecond()));
        }
        report.add(name, json, String.join(", ", text) + " tokens a second by " + size);
    }
}
