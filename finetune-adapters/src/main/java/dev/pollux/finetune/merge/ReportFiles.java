package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeReport;
import dev.pollux.merging.MergeReport.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Writes the report: {@code merge-report.json}, from which the merge can be replayed, and an HTML page. */
final class ReportFiles {

    static final String JSON = "merge-report.json";
    static final String PAGE = "merge-report.html";

    private static final int FORMAT = 1;

    /** Files that the merge generates. */
    private static final String MADE =
            "config\\.json|artifact\\.json|README\\.md|merge-report\\..*|model.*\\.safetensors(?:\\.index\\.json)?"
                    + "|.*\\.onnx(?:\\.data)?";

    private ReportFiles() {}

    /** Writes both files. They contain nothing that differs between runs, such as the time. */
    static void write(MergePlan plan, MergeOptions options, MergeReport report, Path folder) {
        ObjectNode json = json(plan, options, report);
        ArrayNode carried = json.putArray("carriedFiles");
        report.carriedFiles().forEach(carried::add);
        JsonFile.write(folder.resolve(JSON), json);
        try {
            Files.writeString(folder.resolve(PAGE), new HeatMapPage(report).text(plan.method()));
        } catch (IOException e) {
            throw new StorageException("Cannot write the report into " + folder + ": " + e, e);
        }
    }

    /** The files copied unchanged from the inputs. */
    static List<String> carried(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString().replace('\\', '/'))
                    .filter(name -> !name.startsWith(".") && !name.matches(MADE))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    private static ObjectNode json(MergePlan plan, MergeOptions options, MergeReport report) {
        ObjectNode json = new ObjectNode();
        json.put("format", FORMAT);
        json.set("plan", PlanWriter.documents(plan));
        json.putObject("options")
                .put("seed", options.seed())
                .put("shardBytes", options.shardBytes())
                .put("likeReference", options.likeReference());
        ArrayNode inputs = json.putArray("inputs");
        report.inputs()
                .forEach(file -> inputs.addObject()
                        .put("path", file.path())
                        .put("bytes", file.bytes())
                        .put("sha256", file.sha256()));
        ArrayNode notices = json.putArray("notices");
        report.notices().forEach(notices::add);
        ArrayNode layers = json.putArray("layers");
        report.layers()
                .forEach(layer -> layers.addObject()
                        .put("layer", layer.layer())
                        .put("relativeChange", layer.relativeChange())
                        .put("conflicts", layer.conflicts()));
        ArrayNode tensors = json.putArray("tensors");
        report.tensors().forEach(tensor -> tensor(tensor, tensors.addObject()));
        return json;
    }

    private static void tensor(MergeReport.MergedTensor tensor, ObjectNode into) {
        into.put("name", tensor.name()).put("method", tensor.method());
        ArrayNode sources = into.putArray("sources");
        tensor.sources().forEach(sources::add);
        ObjectNode facts = into.putObject("facts");
        tensor.facts().forEach(facts::put);
        tensor.statistics().ifPresent(statistics -> {
            ObjectNode map = into.putObject("statistics");
            map.put("norm", statistics.norm());
            numbers(statistics.changes(), map.putArray("changes"));
            numbers(statistics.cosines(), map.putArray("cosines"));
            numbers(statistics.changeCosines(), map.putArray("changeCosines"));
            map.put("conflicts", statistics.conflicts()).put("elements", statistics.elements());
        });
    }

    /** Writes NaN as null, since JSON has no NaN. */
    private static void numbers(List<Double> values, ArrayNode into) {
        for (double value : values) {
            if (Double.isFinite(value)) {
                into.add(value);
            } else {
                into.addNull();
            }
        }
    }

    /** The plan and options for a replay. */
    record Recipe(MergePlan plan, long seed, long shardBytes, boolean likeReference, List<InputFile> inputs) {

        static Recipe read(Path file) {
            ObjectNode json = JsonFile.object(file)
                    .orElseThrow(() -> new MalformedFileException(
                            file + " is not a file; name the " + JSON + " of an earlier merge"));
            if (json.path("format").asInt(0) != FORMAT || !json.path("plan").isArray()) {
                throw new MalformedFileException(
                        file + " is not a merge report in format " + FORMAT + "; name the " + JSON + " of one");
            }
            List<InputFile> inputs = new ArrayList<>();
            for (JsonNode input : json.path("inputs")) {
                inputs.add(new InputFile(
                        input.path("path").asString(""),
                        input.path("bytes").asLong(0),
                        input.path("sha256").asString("")));
            }
            if (inputs.isEmpty()) {
                throw new MalformedFileException(file
                        + " has no hashes of the inputs, so nothing says whether they are the same; merge by the plan");
            }
            JsonNode options = json.path("options");
            return new Recipe(
                    MergekitYaml.parse(PlanWriter.yaml(json.path("plan"))),
                    options.path("seed").asLong(0),
                    options.path("shardBytes").asLong(MergeOptions.DEFAULTS.shardBytes()),
                    options.path("likeReference").asBoolean(false),
                    List.copyOf(inputs));
        }

        /** Rejects inputs that differ from those of the report. */
        void check(List<InputFile> found) {
            for (InputFile due : inputs) {
                InputFile same = found.stream()
                        .filter(file -> file.path().equals(due.path()))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(
                                "Cannot replay: " + due.path() + " is missing; bring back the file that was merged"));
                if (!same.equals(due)) {
                    throw new IllegalArgumentException("Cannot replay: " + due.path() + " has SHA-256 " + same.sha256()
                            + " but had " + due.sha256() + "; bring back the file that was merged");
                }
            }
        }
    }
}
