package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import dev.pollux.merging.TokenizerChoice;
import dev.pollux.tensor.TypeNames;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading plans. */
class MergekitYamlTest {

    @Test
    void aPlanReadsAsTheBuilderMakesIt() {
        MergePlan read = MergekitYaml.parse("""
                models:
                  - model: a
                    parameters:
                      weight: 0.5
                      density: [0.1, 0.9]
                  - model: b
                merge_method: ties
                base_model: base
                parameters: {normalize: true, weight: [{filter: mlp, value: 1}, {value: 2}]}
                dtype: float32
                tokenizer_source: union
                """);

        assertThat(read)
                .isEqualTo(MergePlan.builder("ties")
                        .base("base")
                        .model(
                                "a",
                                Map.of("weight", LayerSchedule.of(0.5), "density", LayerSchedule.gradient(0.1, 0.9)))
                        .model("b", Map.of())
                        .parameter("normalize", LayerSchedule.of(1))
                        .parameter(
                                "weight",
                                new LayerSchedule.Filtered(List.of(
                                        new LayerSchedule.Entry("mlp", LayerSchedule.of(1)),
                                        new LayerSchedule.Entry("*", LayerSchedule.of(2)))))
                        .dtype("float32")
                        .tokenizer(TokenizerChoice.of("union"))
                        .build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0001", "1e-4", "'1e-4'", ".0001", "+1.0E-4", "\"0.0001\""})
    void numbersMayBeWrittenInManyWays(String number) {
        assertThat(setting(number)).isEqualTo(LayerSchedule.of(1e-4));
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "yes", "On", "1", "TRUE"})
    void trueIsOne(String word) {
        assertThat(setting(word)).isEqualTo(LayerSchedule.of(1));
    }

    private static LayerSchedule setting(String value) {
        return MergekitYaml.parse("models: [{model: a}]\nmerge_method: linear\nparameters: {weight: " + value + "}")
                .parameters()
                .get("weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {".nan", ".inf", "high", "1e999", "[1, high]", "0x", "''"})
    void whatIsNoNumberIsAFinding(String value) {
        MergePlan plan =
                MergekitYaml.parse("models: [{model: a}]\nmerge_method: linear\nparameters: {weight: " + value + "}");

        assertThat(plan.parameters()).isEmpty();
        assertThat(plan.findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.message())
                        .startsWith("weight of the plan: '")
                        .endsWith("' is not a number"));
    }

    @Test
    void anchorsAndMergeKeysAreFollowed() {
        MergePlan plan = MergekitYaml.parse("""
                models:
                  - model: a
                    parameters: &same {weight: 0.5, density: 0.3}
                  - model: b
                    parameters: {<<: *same, density: 0.9}
                merge_method: ties
                base_model: c
                """);

        assertThat(plan.findings()).isEmpty();
        assertThat(plan.slices().get(0).inputs().get(1).parameters())
                .isEqualTo(Map.of("weight", LayerSchedule.of(0.5), "density", LayerSchedule.of(0.9)));
    }

    @Test
    void referencesHaveRevisionsAndAdapters() {
        assertThat(ModelReference.parse("dir/base@v2+ad@v3"))
                .isEqualTo(new ModelReference("dir/base", Optional.of("v2"), Optional.of("ad"), Optional.of("v3")))
                .hasToString("dir/base@v2+ad@v3");
        MergePlan plan =
                MergekitYaml.parse("models: [{model: {model: {path: a}, lora: {path: b}}}]\nmerge_method: passthrough");
        assertThat(plan.slices().get(0).inputs().get(0).model()).hasToString("a+b");
    }

    @Test
    void aModuleIsReadThrough() {
        MergePlan plan = MergekitYaml.parse("""
                modules:
                  text_decoder:
                    slices:
                      - sources:
                          - {model: a, layer_range: [0, 2]}
                    parameters: {scale: 0.5}
                merge_method: passthrough
                parameters: {scale: 2}
                """);

        assertThat(plan.findings()).isEmpty();
        assertThat(plan.slices().get(0).inputs().get(0).layers()).hasValue(new MergePlan.LayerRange(0, 2));
        assertThat(plan.moduleParameters()).isEqualTo(Map.of("scale", LayerSchedule.of(0.5)));
    }

    @Test
    void gradientsAreInterpolatedOverTheLayers() {
        LayerSchedule gradient = LayerSchedule.gradient(0, 1, 3);

        assertThat(gradient.at("t", 0)).hasValue(0);
        assertThat(gradient.at("t", 0.25)).hasValue(0.5);
        assertThat(gradient.at("t", 0.75)).hasValue(2);
        assertThat(gradient.at("t", 1)).hasValue(3);
        // the form (1 - f) a + f b, in doubles
        assertThat(LayerSchedule.gradient(0.1, 0.7).at("t", 2.0 / 3)).hasValue(0.49999999999999994);
    }

    @Test
    void theFirstFilterThatMatchesDecides() {
        LayerSchedule setting = new LayerSchedule.Filtered(List.of(
                new LayerSchedule.Entry("mlp", LayerSchedule.of(1)),
                new LayerSchedule.Entry("up_proj", LayerSchedule.of(2))));

        assertThat(setting.at("layers.0.mlp.up_proj", 0)).hasValue(1);
        assertThat(setting.at("layers.0.attn.up_proj", 0)).hasValue(2);
        assertThat(setting.at("norm", 0)).isEqualTo(OptionalDouble.empty());
    }

    @Test
    void stagesComeInTheOrderOfTheirUse() {
        MergePlan plan = MergekitYaml.parse("""
                {name: second, models: [first], merge_method: passthrough}
                ---
                {models: [second, c], merge_method: karcher}
                ---
                {name: first, models: [a], merge_method: passthrough}
                """);

        assertThat(plan.name()).isEmpty();
        assertThat(plan.stages())
                .extracting(MergePlan::name)
                .containsExactly(Optional.of("first"), Optional.of("second"));
    }

    @Test
    void aSyntaxErrorSaysWhere() {
        assertThatThrownBy(() -> MergekitYaml.parse("models: [a\nmerge_method: linear\n"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("The merge plan is not valid YAML: line 2, column 13: ");
        assertThatThrownBy(() -> MergekitYaml.parse("merge_method: a\nmerge_method: b\n"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining("merge_method");
        assertThatThrownBy(() -> MergekitYaml.parse(""))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The merge plan is empty; give models and merge_method");
    }

    @Test
    void hostileTextsAreErrors() {
        assertThatThrownBy(() -> MergekitYaml.parse("[".repeat(200_000))).isInstanceOf(MalformedFileException.class);
        assertThatThrownBy(() -> MergekitYaml.parse("- ".repeat(200_000))).isInstanceOf(MalformedFileException.class);
        assertThatThrownBy(() -> MergekitYaml.parse("a".repeat(2_000_000)))
                .hasMessage("A merge plan must be at most 1048576 characters");
        StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
        for (int i = 1; i < 60; i++) {
            bomb.append("a")
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [*a")
                    .append(i - 1)
                    .append(", *a")
                    .append(i - 1)
                    .append("]\n");
        }
        assertThatThrownBy(() -> MergekitYaml.parse(bomb.toString())).isInstanceOf(MalformedFileException.class);
        assertThatThrownBy(() -> MergekitYaml.parse("!!javax.script.ScriptEngineManager {}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("The merge plan is not valid YAML: line 1, column 1: could not determine a"
                        + " constructor for the tag");
    }

    @Test
    void otherShapesAreFindingsNotExceptions() {
        for (String yaml : List.of(
                "just text",
                "[1, 2]",
                "models: 3\nmerge_method: linear",
                "models: [3, [4]]\nmerge_method: linear",
                "slices: [{sources: [{model: a, layer_range: [0, x]}]}]\nmerge_method: linear",
                "slices: [{sources: 7}, 8]\nmerge_method: linear",
                "modules: {a: {}, b: {}}\nmerge_method: linear",
                "models: [{model: a, parameters: [1]}]\nmerge_method: linear",
                "models: [a]\nmerge_method: linear\ntokenizer: {tokens: {x: {source: {kind: what}}}}",
                "models: [a]\nmerge_method: linear\ntokenizer: {pad_to_multiple_of: -1}",
                "models: [a]\nmerge_method: {x: y}")) {
            assertThat(MergekitYaml.parse(yaml).findings()).as(yaml).anyMatch(MergeProblem::isFatal);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"['0', '2']", "[0.0, 2.0]", "[0, '2']", "['0.0', 2e0]"})
    void rangesOfLayersMayBeTextOrHaveDecimals(String range) {
        MergePlan plan = MergekitYaml.parse(
                "merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: " + range + "}]}]\n");

        assertThat(plan.findings()).isEmpty();
        assertThat(plan.slices().get(0).inputs().get(0).layers()).contains(new MergePlan.LayerRange(0, 2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[0, 2.5]", "[0, two]", "[0]", "all", "[true, 2]"})
    void rangesOfOtherThingsAreOneErrorThatShowsThem(String range) {
        MergePlan plan = MergekitYaml.parse(
                "merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: " + range + "}]}]\n");

        assertThat(plan.findings())
                .extracting(MergeProblem::message)
                .containsExactly("layer_range of a must be [first, after the last], two whole numbers, but was "
                        + range.replace("two", "\"two\"")
                                .replace("all", "\"all\"")
                                .replace(", ", ","));
    }

    @Test
    void jsonMayBeIndentedByTabs() {
        assertThat(MergekitYaml.parse("{\n\t\"merge_method\": \"linear\",\n\t\"models\": [\n\t\t\"a\"]\n}"))
                .isEqualTo(MergekitYaml.parse("merge_method: linear\nmodels: [a]\n"));
    }

    @Test
    void whatIsNullIsNotGiven() {
        MergePlan plan = MergekitYaml.parse("merge_method: linear\nslices: null\nmodules:\nmodels: [a]\n");

        assertThat(plan.findings()).isEmpty();
    }

    @Test
    void theOnlyEntryOfAListNeedsNoDash() {
        assertThat(MergekitYaml.parse("merge_method: linear\nmodels: {model: a, parameters: {weight: 1}}\n"))
                .isEqualTo(MergekitYaml.parse("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n"));
    }

    @Test
    void mergedMapsMayMergeOthers() {
        MergePlan plan = MergekitYaml.parse("""
                a: &a {density: 0.5}
                b: &b {<<: *a, weight: 1}
                models: [{model: m, parameters: {<<: *b}}]
                merge_method: linear
                """);

        assertThat(plan.slices().get(0).inputs().get(0).parameters())
                .isEqualTo(Map.of("density", LayerSchedule.of(0.5), "weight", LayerSchedule.of(1)));
    }

    @Test
    void aFileInUtf16IsRead(@org.junit.jupiter.api.io.TempDir java.nio.file.Path temp) throws java.io.IOException {
        String text = "merge_method: linear\nmodels: [a]\n";
        java.nio.file.Path file = temp.resolve("plan.yml");
        java.nio.file.Files.write(file, ("\ufeff" + text).getBytes(java.nio.charset.StandardCharsets.UTF_16LE));

        assertThat(MergekitYaml.read(file)).isEqualTo(MergekitYaml.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"torch.float16", "float16", "fp16", "Float16"})
    void typesMayBeNamedAsInPython(String name) {
        assertThat(TypeNames.parse(name)).contains(dev.pollux.tensor.DType.F16);
    }
}
