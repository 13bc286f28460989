package dev.pollux.samples.cli;

import dev.pollux.inference.hub.FetchPlan;
import dev.pollux.inference.hub.FetchPlan.PlannedFile;
import dev.pollux.inference.hub.FileSelection;
import dev.pollux.inference.hub.ModelHub;
import dev.pollux.job.Job;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a model from the hub. */
@Command(
        name = "fetch",
        description = {
            "Fetch a model from the Hugging Face hub into the cache that its own tools share.",
            "",
            "MODEL is hf:owner/name, optionally with @revision and with :QUANTIZATION for a GGUF or :PATTERN,PATTERN for"
                    + " files; in a pattern * stands for anything. Without a selection the configuration, the tokenizer and"
                    + " the safetensors are taken, or one GGUF of a repository that holds nothing else. What is there is not"
                    + " fetched again, a broken download is continued, and every file is checked against its hash.",
            "",
            "The variables of huggingface_hub apply: HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME, HF_HUB_OFFLINE; and"
                    + " HTTPS_PROXY and NO_PROXY.",
            "",
            "--json: {repository, revision, commit, path, dryRun, bytes, missingBytes, files: [{path, bytes, hash,"
                    + " presentBytes}]}; missingBytes and presentBytes as they were before."
        },
        footer = {
            "  pollux fetch hf:HuggingFaceTB/SmolLM2-360M-Instruct",
            "  pollux fetch --dry-run hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
            "  pollux fetch --include '*.json' --include 'onnx/model_q4.onnx*' hf:owner/name@main"
        })
final class FetchCommand extends PolluxCommand {

    @Parameters(paramLabel = "MODEL", description = "hf:owner/name[@revision][:SELECTION].")
    private String model = "";

    @Option(
            names = "--include",
            order = 10,
            paramLabel = "PATTERN",
            description = "Fetch only files whose path matches this or another --include.")
    private List<String> include = List.of();

    @Option(
            names = "--exclude",
            order = 11,
            paramLabel = "PATTERN",
            description = "Leave out files whose path matches.")
    private List<String> exclude = List.of();

    @Option(names = "--dry-run", order = 12, description = "Say what would be fetched, and fetch nothing.")
    private boolean dryRun;

    @Option(
            names = "--offline",
            order = 13,
            description = "Use what is in the cache and no network. Default: HF_HUB_OFFLINE.")
    private boolean offline;

    @Option(
            names = "--hub-cache",
            order = 14,
            paramLabel = "FOLDER",
            description = "Where models of the hub are kept. Default: HF_HUB_CACHE, else hub in HF_HOME or in"
                    + " ~/.cache/huggingface.")
    private @Nullable Path hubCache;

    @Override
    int execute() {
        ModelHub.Builder builder = ModelHub.builder();
        if (offline) {
            builder.offline(true);
        }
        if (hubCache != null) {
            builder.cache(hubCache);
        }
        ModelHub hub = builder.build();
        Job<FetchPlan> planning;
        Job<Path> fetching;
        try {
            FileSelection selection = new FileSelection("", include, exclude);
            planning = hub.plan(model, selection);
            fetching = hub.fetch(model, selection);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        FetchPlan plan = run(planning);
        if (!dryRun) {
            run(fetching);
        }
        report(plan).print(this);
        return ExitCode.OK;
    }

    private Report report(FetchPlan plan) {
        String missing = plan.missingBytes() == 0
                ? "nothing: all is there"
                : Texts.bytes(plan.missingBytes()) + " of " + Texts.bytes(plan.bytes());
        Report report = new Report()
                .add("repository", plan.repository())
                .add("revision", plan.revision())
                .add("commit", plan.commit())
                .add("path", plan.path().toString())
                .add("dryRun", dryRun, "")
                .add("bytes", plan.bytes(), "")
                .add("missingBytes", plan.missingBytes(), "")
                .text(dryRun ? "to fetch" : "fetched", missing)
                .add("files", plan.files().stream().map(FetchCommand::shape).toList(), "");
        for (PlannedFile file : plan.files()) {
            report.line("  " + file.path() + "  " + Texts.bytes(file.bytes())
                    + (file.isPresent() ? ", was there" : file.presentBytes() > 0 ? ", was begun" : ""));
        }
        return report;
    }

    private static Map<String, Object> shape(PlannedFile file) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("path", file.path());
        json.put("bytes", file.bytes());
        json.put("hash", file.hash());
        json.put("presentBytes", file.presentBytes());
        return json;
    }
}
