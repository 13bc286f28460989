package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Quantization at the command line. */
class QuantizeCommandTest {

    @TempDir
    Path temp;

    private Path model;
    private Path target;

    @BeforeEach
    void write() throws IOException {
        model = TinyDecoder.llama(1).write(temp.resolve("model"));
        target = temp.resolve("model-8bit");
    }

    @Test
    void quantizesAndComparesWithTheOriginal() throws IOException {
        Run done = Run.of("quantize", "--quiet", "--json", "--bits", "8", model.toString(), target.toString());
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.path("recipe").path("method").asString()).isEqualTo("search");
        assertThat(json.path("layers").size()).isGreaterThan(4);
        assertThat(json.path("layers").path(0).path("relativeError").asDouble()).isBetween(1e-5, 0.01);
        assertThat(json.path("kept").path(0).path("reason").asString()).isNotEmpty();
        assertThat(target.resolve("pollux.json")).isRegularFile();

        Path text =
                Files.writeString(temp.resolve("text.txt"), "the quick brown fox jumps over the lazy dog ".repeat(8));
        Run compared = Run.of(
                "quantize",
                "--quiet",
                "--json",
                "--compare",
                "--cache",
                temp.resolve("cache").toString(),
                "--text",
                text.toString(),
                model.toString(),
                target.toString());
        assertThat(compared.code()).as(compared.err()).isZero();
        JsonNode found = JsonNode.parse(compared.out());
        assertThat(found.propertyNames())
                .containsExactly("text", "a", "b", "perplexityRatio", "kl", "topOneAgreement", "firstDivergence");
        assertThat(found.path("a").propertyNames())
                .containsExactly(
                        "perplexity", "bytes", "loadMillis", "prefillTokensPerSecond", "decodeTokensPerSecond");
        assertThat(found.path("kl").propertyNames()).containsExactly("mean", "low", "high", "p99");
        assertThat(found.path("perplexityRatio").path("value").asDouble())
                .isBetween(
                        found.path("perplexityRatio").path("low").asDouble(),
                        found.path("perplexityRatio").path("high").asDouble());
        assertThat(found.path("b").path("bytes").asLong())
                .isLessThan(found.path("a").path("bytes").asLong());
    }

    @Test
    void gptqReadsTheDocumentsOfAFolder() throws IOException {
        Path docs = Files.createDirectories(temp.resolve("docs"));
        Files.writeString(docs.resolve("one.txt"), "The quick brown fox jumps over the lazy dog. ".repeat(30));
        Files.writeString(docs.resolve("two.md"), "# Foxes\n\n" + "They sleep under the hedge. ".repeat(30));
        String folder = docs.toString();
        Run done = Run.of(
                "quantize",
                "--quiet",
                "--json",
                "--recipe",
                "gptq",
                "--calibrate",
                folder,
                model.toString(),
                target.toString());
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.path("recipe").path("method").asString()).isEqualTo("gptq");
        List<String> methods = new ArrayList<>();
        json.path("layers").forEach(layer -> methods.add(layer.path("method").asString()));
        assertThat(methods).contains("gptq", "search");

        Run windows = Run.of(
                "quantize",
                "--quiet",
                "--recipe",
                "awq",
                "--windows",
                "2",
                "--window-tokens",
                "32",
                "--seed",
                "7",
                "--calibrate",
                folder,
                model.toString(),
                target + "-awq");
        assertThat(windows.code()).as(windows.err()).isZero();
        assertThat(ArtifactManifest.read(Path.of(target + "-awq")).orElseThrow().options())
                .containsEntry("windows", "2")
                .containsEntry("windowLength", "32")
                .containsEntry("seed", "7");
        Run stray = Run.of("quantize", "--windows", "2", model.toString(), target + "-again");
        assertThat(stray.err())
                .contains(
                        "--windows, --window-tokens and --seed belong to the recipes gptq and awq, and to int8 and int8-static"
                                + " of decoders with --calibrate; leave them out or choose one of these");
        Run shortest = Run.of(
                "quantize",
                "--recipe",
                "gptq",
                "--window-tokens",
                "4",
                "--calibrate",
                folder,
                model.toString(),
                target + "-again");
        assertThat(shortest.err()).contains("--window-tokens must be in [16, 65536] but was 4");

        Files.delete(docs.resolve("one.txt"));
        Files.writeString(docs.resolve("two.md"), "Foxes");
        Run few = Run.of("quantize", "--recipe", "gptq", "--calibrate", folder, model.toString(), target + "-again");
        assertThat(few.err())
                .contains(
                        "The calibration texts have 5 tokens, fewer than one window of 256; give longer texts, or choose"
                                + " shorter windows");
        Files.delete(docs.resolve("two.md"));
        Run none = Run.of("quantize", "--recipe", "gptq", "--calibrate", folder, model.toString(), target + "-again");
        assertThat(none.err())
                .contains(folder
                        + " must hold at least one document with text but holds none; give texts of the kind that"
                        + " the model reads");
    }

    @Test
    void integersOfADecoderAreCalibratedAndSmoothed() throws IOException {
        Path text = Files.writeString(temp.resolve("words.txt"), "the quick brown fox jumps over the dog ".repeat(40));
        Run done = Run.of(
                "quantize",
                "--quiet",
                "--json",
                "--recipe",
                "int8-static",
                "--range",
                "percentile",
                "--smoothing",
                "0.5",
                "--windows",
                "4",
                "--window-tokens",
                "64",
                "--calibrate",
                text.toString(),
                model.toString(),
                target.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(ArtifactManifest.read(target).orElseThrow().options())
                .containsEntry("range", "PERCENTILE")
                .containsEntry("smoothing", "0.5");

        Run range = Run.of("quantize", "--range", "entropy", model.toString(), target + "-again");
        assertThat(range.err())
                .contains("--range belongs to the recipe int8-static; leave it out or choose that recipe");
        Run kind = Run.of("quantize", "--range", "most", model.toString(), target + "-again");
        assertThat(kind.err()).contains("must be one of min-max, moving-average, percentile, entropy but was 'most'");
        Run smooth = Run.of("quantize", "--recipe", "int8", "--smoothing", "2", model.toString(), target + "-again");
        assertThat(smooth.err()).contains("--smoothing must be in [0, 1] but was 2.0");
    }

    @Test
    void namesOfEmbeddedModelsAndExistingTargetsAreChecked() throws IOException {
        Run unknown = Run.of("quantize", "smollm2-135m-instruc", target.toString());
        assertThat(unknown.code()).isEqualTo(ExitCode.ERROR);
        assertThat(unknown.err())
                .contains("There is no model 'smollm2-135m-instruc'; did you mean 'smollm2-135m-instruct'?");
        Files.createDirectory(target);
        for (String option : List.of("--dry-run", "--quiet")) {
            Run taken = Run.of("quantize", option, model.toString(), target.toString());
            assertThat(taken.err()).contains(target + " must not exist; choose another folder or delete it");
        }
        Path file = Files.writeString(temp.resolve("model.gguf"), "");
        Run other = Run.of("quantize", "--to", "gguf", model.toString(), file.toString());
        assertThat(other.err()).contains(file + " must not exist; choose another name or delete it");
    }

    @Test
    void aDryRunSaysWhatEachWeightBecomesAndWritesNothing() {
        Run done = Run.of("quantize", "--dry-run", "--keep", "layers.0.*", model.toString(), target.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.out())
                .contains("nothing is written", "search, 4 bits, blocks of 32, with zero points")
                .contains("the rule 'layers.0.*' keeps it");
        assertThat(target).doesNotExist();
    }

    private Path text() throws IOException {
        return Files.writeString(
                temp.resolve("held-out.txt"), "the quick brown fox jumps over the lazy dog ".repeat(40));
    }

    private Run measured(String... options) throws IOException {
        List<String> line = new ArrayList<>(List.of("quantize", "--quiet", "--json", "--text", text().toString()));
        line.addAll(List.of("--cache", temp.resolve("cache").toString()));
        line.addAll(List.of(options));
        line.addAll(List.of(model.toString(), target.toString()));
        return Run.of(line.toArray(String[]::new));
    }

    @Test
    void aBudgetChoosesBitsAndTheReportSaysWhatWasLost() throws IOException {
        Path report = temp.resolve("report");
        Run done = measured("--budget", "70kB", "--report", report.toString());
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(Files.size(target.resolve("model.onnx.data"))).isLessThanOrEqualTo(70_000);
        assertThat(json.propertyNames())
                .containsExactly(
                        "model",
                        "target",
                        "recipe",
                        "bytesBefore",
                        "bytesAfter",
                        "relativeError",
                        "elapsedMillis",
                        "notices",
                        "layers",
                        "kept",
                        "comparison",
                        "precision");
        assertThat(json.path("target").asString()).isEqualTo(target.toString());
        assertThat(json.path("comparison").propertyNames())
                .containsExactly("text", "a", "b", "perplexityRatio", "kl", "topOneAgreement", "firstDivergence");
        assertThat(json.path("precision").path("points").size()).isGreaterThan(2);
        assertThat(Files.readString(report.resolve("report.json"))).contains("\"comparison\"");
        assertThat(Files.readString(report.resolve("report.md")))
                .contains("## Loss", "| perplexity ratio |", "## Budgets");
        assertThat(Files.readString(report.resolve("report.html")))
                .contains("<svg", "</html>")
                .doesNotContain("<script", "http://", "https://");
        assertThat(Files.readString(target.resolve("artifact.json"))).contains("\"kl\"");
    }

    @Test
    void aLimitOfTheLossIsKeptOrNothingIsWritten() throws IOException {
        Run done = measured("--max-kl", "0.5");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(JsonNode.parse(done.out())
                        .path("comparison")
                        .path("kl")
                        .path("mean")
                        .asDouble())
                .isLessThanOrEqualTo(0.5);
        target = temp.resolve("other");
        Run lost = measured("--max-kl", "1e-9", "--bits", "2", "--head-bits", "2");
        assertThat(lost.code()).isEqualTo(ExitCode.ERROR);
        assertThat(lost.err())
                .contains("The KL of " + target + " must be at most 1.0E-9 but is ")
                .contains("; nothing was written: allow more, or give it more bits");
        assertThat(target).doesNotExist();
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).noneMatch(name -> name.startsWith("."));
        }
    }

    @Test
    void kernelsAreMeasuredAndSlowOnesAreNamed() {
        Run done = Run.of(
                "quantize",
                "--dry-run",
                "--measure",
                "--quiet",
                "--json",
                "--bits",
                "8",
                model.toString(),
                target.toString());
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.path("kernels").path(0).propertyNames())
                .containsExactly("bits", "blockSize", "oneToken", "manyTokens", "slow");
        assertThat(json.path("kernels").path(0).path("bits").asInt()).isEqualTo(8);
        assertThat(json.path("estimatedMillis").asLong()).isNotNegative();
        assertThat(target).doesNotExist();
    }

    @Test
    void writesGgufFilesOfTheModelAndOfAnotherFile() {
        String first = temp.resolve("model-f16.gguf").toString();
        Run done = Run.of("quantize", "--quiet", "--json", "--to", "gguf", "--type", "f16", model.toString(), first);
        assertThat(done.code()).as(done.err()).isZero();
        JsonNode json = JsonNode.parse(done.out());
        assertThat(json.path("architecture").asString()).isEqualTo("llama");
        assertThat(Path.of(first)).isRegularFile().hasSize(json.path("bytes").asLong());
        assertThat(json.path("tensors").path(0).propertyNames()).containsExactly("name", "shape", "type", "bytes");

        Path second = temp.resolve("model-q8.gguf");
        Run dry = Run.of("quantize", "--to", "gguf", "--dry-run", first, second.toString());
        assertThat(dry.code()).as(dry.err()).isZero();
        assertThat(dry.out()).contains("nothing is written", "tensors", "Q8_0");
        assertThat(second).doesNotExist();
    }

    @Test
    void mistakesAreSaidWithWhatToDo() throws IOException {
        Run type = Run.of("quantize", "--to", "gguf", "--type", "q9", model.toString(), target.toString());
        assertThat(type.code()).isEqualTo(ExitCode.USAGE);
        assertThat(type.err())
                .contains("--type must be one of [f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q4_k, q6_k] but was q9");
        Run format = Run.of("quantize", "--to", "onxx", model.toString(), target.toString());
        assertThat(format.err()).contains("--to must be onnx or gguf but was onxx");
        Run stray = Run.of("quantize", "--type", "q8_0", model.toString(), target.toString());
        assertThat(stray.err()).contains("--type belongs to --to gguf; add it or use --bits");
        Run method = Run.of("quantize", "--recipe", "serch", model.toString(), target.toString());
        assertThat(method.code()).isEqualTo(ExitCode.USAGE);
        assertThat(method.err())
                .contains("must be one of rtn, search, least-squares, hqq, k-quant, gptq, awq, float16,"
                        + " int8, int8-static but was 'serch'");
        Run uncalibrated = Run.of("quantize", "--recipe", "int8-static", model.toString(), target.toString());
        assertThat(uncalibrated.code()).isEqualTo(ExitCode.USAGE);
        assertThat(uncalibrated.err()).contains("must have at least one text for the method int8-static but has none");
        Run empty = Run.of(
                "quantize",
                "--recipe",
                "int8-static",
                "--calibrate",
                model.toString(),
                model.toString(),
                target.toString());
        assertThat(empty.err())
                .contains(model + " must hold at least one document with text but holds none; give texts of the"
                        + " kind that the model reads");
        Run bits = Run.of("quantize", "--bits", "3", model.toString(), target.toString());
        assertThat(bits.err()).contains("--bits must be 2, 4 or 8 but was 3");
        Run text = Run.of("quantize", "--compare", model.toString(), target.toString());
        assertThat(text.err()).contains("--compare needs a text; add --text FILE");
        Run budget = Run.of("quantize", "--budget", "1MB", model.toString(), target.toString());
        assertThat(budget.err()).contains("--budget needs a text to measure the loss on; add --text FILE");
        Run limit = Run.of("quantize", "--max-kl", "0.1", model.toString(), target.toString());
        assertThat(limit.err()).contains("--max-kl needs a text to measure the loss on; add --text FILE");
        Run both = Run.of("quantize", "--budget", "1MB", "--bits", "4", model.toString(), target.toString());
        assertThat(both.err()).contains("--budget chooses bits and blocks; leave out --bits and --block, or --budget");
        Path file = Files.writeString(temp.resolve("words.txt"), "the quick brown fox ".repeat(40));
        Run size =
                Run.of("quantize", "--budget", "much", "--text", file.toString(), model.toString(), target.toString());
        assertThat(size.err()).contains("--budget must be a size such as 100MB or 1.5GB but was much");
        assertThat(target).doesNotExist();
    }
}
