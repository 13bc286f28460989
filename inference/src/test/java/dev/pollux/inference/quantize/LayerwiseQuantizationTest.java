package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.calibration.CalibrationWindows;
import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.Weight;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.quantization.CalibrationData;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Range;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Methods that run a decoder over calibration texts, from the checkpoint to the engine. */
@NoLeaks
class LayerwiseQuantizationTest {

    private static final String TEXT =
            "A cartographer who never left the harbour drew the coast from the stories of sailors. ".repeat(30);

    /** Random decoders of width 32 in 8 bits; what is left out of the layers or confused turns logits by far more. */
    private static final double EIGHT_BITS = 0.12;

    @TempDir
    Path temp;

    private static QuantizationRecipe.Builder recipe() {
        return QuantizationRecipe.builder()
                .method(QuantizationMethod.GPTQ)
                .blockSize(16)
                .calibration(CalibrationData.of(List.of(TEXT)).withWindows(8, 64));
    }

    private static OnnxQuantizer quantizer(int threads) {
        return OnnxQuantizer.create(
                QuantizerOptions.builder().threads(threads).memory(64L << 20).build());
    }

    private QuantizationReport quantized(Path model, String name, QuantizationRecipe recipe) {
        return quantizer(2).quantize(model, temp.resolve(name), recipe).run();
    }

    private static float[] logits(Path folder) {
        return logits(folder, 1, 40, 90, 7, 200);
    }

    private static float[] logits(Path folder, int... ids) {
        try (DecoderModel model = DecoderModel.open(folder, EngineOptions.DEFAULTS);
                DecoderSequence sequence = model.sequence()) {
            FloatBuffer buffer = sequence.append(ids);
            float[] values = new float[buffer.limit()];
            buffer.duplicate().get(0, values);
            return values;
        }
    }

    private Path exported(Path checkpoint) {
        Path folder = temp.resolve("exported");
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            DecoderExport.export(
                            open,
                            folder,
                            ExportOptions.builder().weights(WeightFormat.FLOAT).build())
                    .run();
        }
        return folder;
    }

    private double error(Path folder, Path original) {
        return Tensors.relative(Tensors.doubles(logits(folder)), Tensors.doubles(logits(original)));
    }

    @Test
    void everyMatrixOfEveryLayerAndTheHeadIsChosenOnTheTexts() {
        Path checkpoint = TinyDecoder.of("Qwen2ForCausalLM", "qwen2", 5).write(temp.resolve("checkpoint"));
        QuantizationReport report =
                quantized(checkpoint, "target", recipe().bits(8).build());
        assertThat(report.layers())
                .filteredOn(layer -> layer.method() == QuantizationMethod.GPTQ)
                .hasSize(4 * TinyDecoder.LAYERS + 1)
                .allSatisfy(layer -> assertThat(layer.relativeError()).isPresent());
        assertThat(report.layers())
                .filteredOn(layer -> layer.method() != QuantizationMethod.GPTQ)
                .singleElement()
                .satisfies(table -> {
                    assertThat(table.operators()).containsExactly("Gather");
                    assertThat(table.method()).isEqualTo(QuantizationMethod.SEARCH);
                });
        assertThat(error(temp.resolve("target"), exported(checkpoint))).isLessThan(EIGHT_BITS);
        ArtifactManifest artifact =
                ArtifactManifest.read(temp.resolve("target")).orElseThrow();
        assertThat(artifact.options())
                .containsEntry("method", "gptq")
                .containsEntry("windows", "8")
                .containsEntry("windowLength", "64")
                .containsEntry("seed", "0")
                .containsKey("calibration");
    }

    /** Ranges of another activation, and scales in the wrong place, turn logits by far more than 8 bits do. */
    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, llama, MIN_MAX, 0",
        "LlamaForCausalLM, llama, MIN_MAX, .5",
        "LlamaForCausalLM, llama, PERCENTILE, .5",
        "Qwen2ForCausalLM, qwen2, ENTROPY, 0",
        "Qwen2ForCausalLM, qwen2, MOVING_AVERAGE, .5"
    })
    void activationsAreRoundedByRangesOfTheTexts(String architecture, String type, Range range, double smoothing) {
        Path checkpoint = TinyDecoder.of(architecture, type, 6).write(temp.resolve("checkpoint"));
        CalibrationData data = CalibrationData.of(List.of(TEXT)).withWindows(8, 64);
        List<byte[]> made = new ArrayList<>();
        for (int threads : new int[] {1, 2}) {
            Path target = temp.resolve("target" + threads);
            QuantizationReport report = quantizer(threads)
                    .quantize(
                            checkpoint,
                            target,
                            QuantizationRecipe.builder()
                                    .method(QuantizationMethod.INT8_STATIC)
                                    .calibration(data)
                                    .range(range)
                                    .smoothing(smoothing)
                                    .build())
                    .run();
            assertThat(report.layers()).hasSizeGreaterThanOrEqualTo(4 * TinyDecoder.LAYERS);
            made.add(bytes(target.resolve("model.onnx.data")));
        }
        assertThat(made.get(1)).isEqualTo(made.get(0));
        int[] read;
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            read = CalibrationWindows.of(open, data, JobContext.NONE).get(0);
        }
        double error = Tensors.relative(
                Tensors.doubles(logits(temp.resolve("target1"), read)),
                Tensors.doubles(logits(exported(checkpoint), read)));
        assertThat(error).isLessThan(EIGHT_BITS);
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Scales that are absorbed in the wrong place turn logits by far more than 8 bits do. */
    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, llama",
        "Qwen2ForCausalLM, qwen2",
        "Qwen3ForCausalLM, qwen3",
    })
    void scalesOfInputsAreAbsorbedByNormsAndByTheMatricesBefore(String architecture, String type) throws IOException {
        Path checkpoint = TinyDecoder.of(architecture, type, 5).write(temp.resolve("checkpoint"));
        Path exported = exported(checkpoint);
        QuantizationReport report = quantized(
                checkpoint,
                "target",
                recipe().method(QuantizationMethod.AWQ).bits(8).build());
        assertThat(report.layers())
                .filteredOn(layer -> layer.method() == QuantizationMethod.AWQ)
                .hasSize(4 * TinyDecoder.LAYERS + 1);
        assertThat(changed(exported, "target")).contains("layers.0.norm1.weight", "layers.1.norm2.weight");
        assertThat(error(temp.resolve("target"), exported)).isLessThan(EIGHT_BITS);
    }

    @Test
    void adaptersDoNotFitInputsWithScales() {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        quantized(checkpoint, "target", recipe().method(QuantizationMethod.AWQ).build());
        EngineOptions options = EngineOptions.builder().adapters(true).build();
        try (DecoderModel model = DecoderModel.open(temp.resolve("target"), options)) {
            assertThatThrownBy(() -> model.load(Map.of(temp.resolve("adapter"), 1.0)))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(model.manifest().name()
                            + " has inputs with scales (awq), to which no adapter fits; quantize the checkpoint with gptq"
                            + " or search to load adapters");
        }
    }

    /** The weights with one dimension that the two models have in common and that differ. */
    private List<String> changed(Path exported, String target) {
        Graph before = GraphReader.read(exported.resolve("model.onnx"));
        Graph after = GraphReader.read(temp.resolve(target).resolve("model.onnx"));
        return before.weights().stream()
                .filter(weight -> weight.shape().rank() == 1)
                .filter(weight -> after.weight(weight.name())
                        .filter(other -> !Arrays.equals(bytes(other), bytes(weight)))
                        .isPresent())
                .map(Weight::name)
                .toList();
    }

    private static byte[] bytes(Weight weight) {
        ByteBuffer all = ByteBuffer.allocate((int) weight.bytes());
        weight.source().writeTo(all::put);
        return all.array();
    }

    @Test
    void aComparisonOnTheCalibrationTextsGivesANotice() {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        quantized(checkpoint, "target", recipe().build());
        Path exported = exported(checkpoint);
        List<String> notices = new ArrayList<>();
        ModelComparer.of(EngineOptions.DEFAULTS)
                .compare(exported, temp.resolve("target"), TEXT.substring(0, 400))
                .onEvent(event -> {
                    if (event instanceof JobEvent.Notice notice) {
                        notices.add(notice.message());
                    }
                })
                .run();
        assertThat(notices)
                .containsExactly("100 % of the passages of the text are in the texts that " + temp.resolve("target")
                        + " was quantized on, so its loss looks smaller than it is; compare on another text");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void theBytesDoNotDependOnThreads(int bits) throws IOException {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        QuantizationMethod method = bits == 2 ? QuantizationMethod.AWQ : QuantizationMethod.GPTQ;
        QuantizationRecipe recipe =
                recipe().method(method).bits(bits).blockSize(32).build();
        quantizer(1).quantize(checkpoint, temp.resolve("one"), recipe).run();
        quantizer(2).quantize(checkpoint, temp.resolve("two"), recipe).run();
        assertThat(data("two")).isEqualTo(data("one"));
    }

    @Test
    void theSeedChoosesTheWindows() throws IOException {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        CalibrationData texts = CalibrationData.of(List.of(TEXT)).withWindows(2, 64);
        quantized(checkpoint, "one", recipe().calibration(texts).build());
        quantized(checkpoint, "again", recipe().calibration(texts).build());
        quantized(checkpoint, "other", recipe().calibration(texts.withSeed(3)).build());
        assertThat(data("again")).isEqualTo(data("one"));
        assertThat(data("other")).isNotEqualTo(data("one"));
    }

    @Test
    void windowsAreCachedByTheContentOfModelAndTexts() throws IOException {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        Path cache = temp.resolve("cache");
        OnnxQuantizer cached = OnnxQuantizer.create(
                QuantizerOptions.builder().threads(1).cache(cache).build());
        quantized(checkpoint, "plain", recipe().build());
        cached.quantize(checkpoint, temp.resolve("first"), recipe().build()).run();
        List<Path> windows = windows(cache);
        assertThat(windows).hasSize(1);
        Object written = Files.getLastModifiedTime(windows.get(0));
        cached.quantize(checkpoint, temp.resolve("again"), recipe().build()).run();
        assertThat(windows(cache)).isEqualTo(windows);
        assertThat(Files.getLastModifiedTime(windows.get(0))).isEqualTo(written);
        assertThat(data("first")).isEqualTo(data("plain"));
        assertThat(data("again")).isEqualTo(data("plain"));
        CalibrationData other = recipe().build().calibration().withSeed(1);
        cached.quantize(
                        checkpoint,
                        temp.resolve("other"),
                        recipe().calibration(other).build())
                .run();
        assertThat(windows(cache)).hasSize(2);
    }

    private static List<Path> windows(Path cache) throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(file -> file.endsWith("windows.bin")).sorted().toList();
        }
    }

    @Test
    void aPreviewCountsALayerItsHessiansAndTheStates() {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        long without = quantizer(1)
                .plan(
                        checkpoint,
                        recipe().method(QuantizationMethod.SEARCH)
                                .calibration(List.of())
                                .build())
                .memory();
        long with = quantizer(1).plan(checkpoint, recipe().build()).memory();
        int width = TinyDecoder.WIDTH;
        int inner = TinyDecoder.INNER;
        long layer = 5L
                * (3L * width * inner
                        + 4L * TinyDecoder.HEAD * width
                        + 2L * width * width
                        - 2L * width * TinyDecoder.HEAD);
        long states = 8L * 8 * 64 * width;
        long inverse = 8L * inner * inner;
        long moments = 12L * (3L * width * width + (long) inner * inner);
        assertThat(with - without).isEqualTo(layer + states + inverse + moments);
    }

    private byte[] data(String name) throws IOException {
        return Files.readAllBytes(temp.resolve(name).resolve("model.onnx.data"));
    }

    /** The experts of a mixture are in branches of the exported graph and in none of the layers that are run. */
    @Test
    void expertsThatFewTokensReachAreSearchedWithoutTexts() {
        Path checkpoint = TinyDecoder.mixtral(11, 6).write(temp.resolve("checkpoint"));
        QuantizationReport report =
                quantized(checkpoint, "target", recipe().bits(8).build());
        List<QuantizedLayer> experts = report.layers().stream()
                .filter(layer -> layer.name().contains("experts."))
                .toList();
        assertThat(experts)
                .extracting(QuantizedLayer::method)
                .contains(QuantizationMethod.GPTQ, QuantizationMethod.LEAST_SQUARES);
        long few = experts.stream()
                .filter(layer -> layer.method() == QuantizationMethod.LEAST_SQUARES)
                .count();
        assertThat(report.notices())
                .contains(few + " matrices of experts were quantized without texts, since too few of their tokens reach"
                        + " them; give more texts, or texts of more kinds");
        assertThat(error(temp.resolve("target"), exported(checkpoint))).isLessThan(EIGHT_BITS);
    }

    @Test
    void modelsWithoutALayerToRunAreRefused() {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        Path exported = exported(checkpoint);
        assertThatThrownBy(() -> quantized(exported, "target", recipe().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("gptq needs the checkpoint of a decoder but " + exported
                        + " is none; quantize the safetensors or the GGUF file, or use search");
        assertThat(temp.resolve("target")).doesNotExist();
    }

    @Test
    void textsShorterThanAWindowAreRefusedAndNothingIsLeft() throws IOException {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        assertThatThrownBy(() -> quantized(
                        checkpoint,
                        "target",
                        recipe().calibration(List.of("A short text.")).build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The calibration texts have 13 tokens, fewer than one window of 256; give longer texts, or choose"
                                + " shorter windows");
        assertNothingLeft();
    }

    private void assertNothingLeft() throws IOException {
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left).extracting(path -> path.getFileName().toString()).containsExactly("checkpoint");
        }
    }

    @Test
    void aCancelledRunEndsBetweenLayersAndLeavesNothing() throws IOException {
        Path checkpoint = TinyDecoder.llama(7).write(temp.resolve("checkpoint"));
        List<Long> layers = new ArrayList<>();
        Job<QuantizationReport> job = quantizer(2).quantize(checkpoint, temp.resolve("target"), recipe().build());
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress && progress.stage().equals("calibrate")) {
                layers.add(progress.done());
                if (progress.done() == 1) {
                    job.cancel(); // the first layer is done
                }
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(layers).containsExactly(0L, 1L);
        assertNothingLeft();
    }

    @Test
    void recipesWithoutTextsAreRefused() {
        assertThatThrownBy(() -> recipe().calibration(List.of()).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "calibration must have at least one text for the method gptq but has none; give texts of the kind that"
                                + " the model reads, or use search");
        assertThatThrownBy(() -> recipe().method(QuantizationMethod.SEARCH).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "calibration must be empty for the method search but has 1 texts; only gptq, awq, int8-static"
                                + " and smoothing read texts");
        assertThatThrownBy(() -> CalibrationData.of(List.of(TEXT)).withWindows(0, 64))
                .hasMessage("windows must be in [1, 65536] but was 0");
        assertThatThrownBy(() -> CalibrationData.of(List.of(TEXT)).withWindows(1, 15))
                .hasMessage("windowLength must be in [16, 65536] but was 15");
    }
}
