package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Value;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The methods {@code int8} and {@code int8-static} from a model's folder to a folder that the embedder opens. */
@NoLeaks
class Int8QuantizerTest {

    /** Cosine of a vector with its float vector: two layers of width 16 average over little. */
    private static final double COSINE = .999;

    private static final List<String> TEXTS = List.of("a b c d e f", "g h i", "j k l a", "b d f h j l a c e");

    @TempDir
    private Path temp;

    private static QuantizationRecipe recipe(QuantizationMethod method) {
        return QuantizationRecipe.builder()
                .method(method)
                .calibration(method == QuantizationMethod.INT8_STATIC ? TEXTS : List.of())
                .build();
    }

    private QuantizationReport quantize(Path model, QuantizationRecipe recipe) {
        return OnnxQuantizer.create()
                .quantize(model, temp.resolve("int8"), recipe)
                .run();
    }

    private float[][] vectors(Path folder) {
        EmbedderOptions options = EmbedderOptions.builder()
                .cache(temp.resolve("cache"))
                .workers(1)
                .build();
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            return embedder.embed(TEXTS, TextRole.PASSAGE);
        }
    }

    private void checkVectors(Path model, QuantizationMethod method) throws IOException {
        QuantizationReport report = quantize(model, recipe(method));
        float[][] exact = vectors(model);
        float[][] rounded = vectors(report.folder());

        for (int i = 0; i < exact.length; i++) {
            double cosine = 0; // the vectors have length 1
            for (int j = 0; j < exact[i].length; j++) {
                cosine += exact[i][j] * rounded[i][j];
            }
            assertThat(cosine).isBetween(COSINE, 1 + 1e-6);
        }
        assertThat(report.layers()).allSatisfy(layer -> {
            assertThat(layer.method()).isEqualTo(method);
            assertThat(layer.bits()).isEqualTo(8);
            assertThat(layer.relativeError().orElseThrow()).isBetween(0.0, .02);
        });
        assertThat(report.bytesAfter()).isLessThan(report.bytesBefore());
        assertThat(Files.readString(report.folder().resolve("tokenizer.json")))
                .isEqualTo(Files.readString(model.resolve("tokenizer.json")));
    }

    @Test
    void anEmbedderOfDynamicIntegersGivesNearlyTheSameVectors() throws IOException {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();

        checkVectors(model, QuantizationMethod.INT8);
        assertThat(GraphReader.read(temp.resolve("int8").resolve("model.onnx")).nodes())
                .extracting(Node::operator)
                .contains("MatMulInteger", "DynamicQuantizeLinear");
    }

    @Test
    void anEmbedderOfCalibratedIntegersGivesNearlyTheSameVectors() throws IOException {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();

        checkVectors(model, QuantizationMethod.INT8_STATIC);
        assertThat(GraphReader.read(temp.resolve("int8").resolve("model.onnx")).nodes())
                .extracting(Node::operator)
                .contains("QuantizeLinear", "DequantizeLinear")
                .doesNotContain("MatMulInteger");
    }

    @Test
    void aPlanHasTheLayersOfTheReportWithoutErrors() {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        for (QuantizationMethod method : List.of(QuantizationMethod.INT8, QuantizationMethod.INT8_STATIC)) {
            QuantizationPreview plan = OnnxQuantizer.create().plan(model, recipe(method));
            QuantizationReport report = OnnxQuantizer.create()
                    .quantize(model, temp.resolve(method.text()), recipe(method))
                    .run();

            assertThat(plan.layers())
                    .extracting(QuantizedLayer::name)
                    .isEqualTo(
                            report.layers().stream().map(QuantizedLayer::name).toList());
            assertThat(plan.layers()).allMatch(layer -> layer.relativeError().isEmpty());
            assertThat(plan.bytesAfter()).isEqualTo(report.bytesAfter());
        }
    }

    /** y = x · w + b with b of two dimensions. */
    private Path network() {
        GraphBuilder builder = GraphBuilder.create();
        Value x = builder.input("x", ElementType.FLOAT, "rows", 2);
        Value w = builder.floats("w", () -> new float[] {1, 2, 3, 4}, 2, 2);
        Value b = builder.floats("b", () -> new float[] {1, 2}, 1, 2);
        builder.op("Add", "y", builder.op("MatMul", "product", List.of(x, w), Map.of()), b);
        builder.output("y", ElementType.FLOAT, "rows", 2);
        Path file = temp.resolve("network.onnx");
        GraphWriter.write(builder.build(), file);
        return file;
    }

    @Test
    void weightsWithoutAnIntegerFormAreListed() {
        QuantizationReport report = quantize(network(), recipe(QuantizationMethod.INT8));

        assertThat(report.layers()).extracting(QuantizedLayer::name).containsExactly("w");
        assertThat(report.kept())
                .containsExactly(new KeptWeight("b", List.of(1L, 2L), 8, "Add has no form with 8-bit integers for it"));
    }

    @Test
    void aRuleKeepsAWeight() {
        QuantizationRecipe keeps = recipe(QuantizationMethod.INT8).toBuilder()
                .rule(QuantizationRecipe.Rule.keep("w"))
                .build();

        assertThatThrownBy(() -> quantize(network(), keeps))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(temp.resolve("network.onnx")
                        + " has no weight to quantize: 2 float weights stay as they are, such as"
                        + " w: the rule 'w' keeps it");
        assertThat(temp.resolve("int8")).doesNotExist();
    }

    @Test
    void aRuleThatMatchesNothingIsRefused() {
        QuantizationRecipe keeps = recipe(QuantizationMethod.INT8).toBuilder()
                .rule(QuantizationRecipe.Rule.keep("v*"))
                .build();

        assertThatThrownBy(() -> quantize(network(), keeps))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The rule 'v*' matches no weight of " + temp.resolve("network.onnx")
                        + " that could be quantized; *"
                        + " stands for any characters, and weights have names such as w");
    }

    @Test
    void calibrationNeedsTheInputsOfATextEncoder() throws IOException {
        Path model = Files.createDirectory(temp.resolve("folder"));
        Files.move(network(), model.resolve("model.onnx"));
        Files.move(temp.resolve("network.onnx.data"), model.resolve("network.onnx.data"));
        TinyCheckpoint tiny = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write();
        Files.copy(tiny.folder().resolve("tokenizer.json"), model.resolve("tokenizer.json"));

        assertThatThrownBy(() -> quantize(model, recipe(QuantizationMethod.INT8_STATIC)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("int8-static measures ranges on texts, but " + model
                        + " has an input x of type FLOAT, which a text does not give; use int8");
        assertThat(temp.resolve("int8")).doesNotExist();
    }

    @Test
    void everyRangeGivesNearlyTheSameVectors() {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        float[] exact = vectors(model)[0];
        for (QuantizationRecipe.Range range : QuantizationRecipe.Range.values()) {
            Path target = temp.resolve(range.name());
            QuantizationRecipe recipe = recipe(QuantizationMethod.INT8_STATIC).toBuilder()
                    .range(range)
                    .build();
            OnnxQuantizer.create().quantize(model, target, recipe).run();
            float[] rounded = vectors(target)[0];
            double cosine = 0; // the vectors have length 1
            for (int i = 0; i < exact.length; i++) {
                cosine += exact[i] * rounded[i];
            }

            assertThat(cosine).as(range.name()).isGreaterThan(COSINE);
        }
    }

    @Test
    void anOldOpsetIsNamed() throws IOException {
        Path file = network();
        ModelProto.Builder old = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
        old.getOpsetImportBuilder(0).setVersion(12);
        Files.write(file, old.build().toByteArray());

        assertThat(OnnxQuantizer.create()
                        .plan(file, recipe(QuantizationMethod.INT8))
                        .layers())
                .hasSize(1);
        assertThatThrownBy(() -> quantize(file, recipe(QuantizationMethod.INT8_STATIC)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The method int8-static needs opset 13 but " + file
                        + " has opset 12; use int8, or export the model with a newer opset");
    }

    @Test
    void aRecipeHasTextsExactlyWhereTheyAreNeeded() {
        QuantizationRecipe.Builder without = QuantizationRecipe.builder().method(QuantizationMethod.INT8_STATIC);
        QuantizationRecipe.Builder with =
                QuantizationRecipe.builder().method(QuantizationMethod.INT8).calibration(TEXTS);

        assertThatThrownBy(without::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "calibration must have at least one text for the method int8-static but has none; give texts of the"
                                + " kind that the model reads, or use int8");
        assertThatThrownBy(with::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "calibration must be empty for the method int8 but has 4 texts; only gptq, awq, int8-static and smoothing"
                                + " read texts");
    }

    @Test
    void smoothingBelongsToIntegersAndNeedsTexts() {
        QuantizationRecipe.Builder recipe =
                QuantizationRecipe.builder().method(QuantizationMethod.INT8).smoothing(.5);

        assertThatThrownBy(recipe::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("calibration must have at least one text for the smoothing 0.5 but has none; give texts of"
                        + " the kind that the model reads, or no smoothing");
        assertThat(recipe.calibration(TEXTS).build().needsCalibration()).isTrue();
        assertThatThrownBy(() -> recipe.smoothing(1.5).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("smoothing must be in [0, 1] but was 1.5");
        assertThatThrownBy(() ->
                        recipe.smoothing(.5).method(QuantizationMethod.GPTQ).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "smoothing must be 0 for the method gptq but was 0.5; only int8 and int8-static round activations by"
                                + " a range that it makes smaller");
    }

    @Test
    void aSmoothedEmbedderGivesNearlyTheSameVectors() {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        float[][] exact = vectors(model);
        for (QuantizationMethod method : List.of(QuantizationMethod.INT8, QuantizationMethod.INT8_STATIC)) {
            for (QuantizationRecipe.Range range : QuantizationRecipe.Range.values()) {
                Path target = temp.resolve(method.text() + range);
                QuantizationRecipe smoothed = QuantizationRecipe.builder()
                        .method(method)
                        .calibration(TEXTS)
                        .range(range)
                        .smoothing(.5)
                        .build();
                OnnxQuantizer.create().quantize(model, target, smoothed).run();
                float[][] rounded = vectors(target);

                for (int i = 0; i < exact.length; i++) {
                    double cosine = 0; // the vectors have length 1
                    for (int j = 0; j < exact[i].length; j++) {
                        cosine += exact[i][j] * rounded[i][j];
                    }
                    assertThat(cosine).as(target.toString()).isGreaterThan(COSINE);
                }
            }
        }
    }

    @Test
    void aRuleOfIntegersKeepsWeightsOnly() {
        QuantizationRecipe.Builder recipe =
                QuantizationRecipe.builder().method(QuantizationMethod.INT8).rule(QuantizationRecipe.Rule.bits("*", 4));

        assertThatThrownBy(recipe::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the rule '*' must keep weights in float for the method int8, which has 8 bits and no blocks; use"
                                + " Rule.keep");
    }
}
