package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeReport;
import dev.pollux.tensor.DType;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What lies where a model is due, and what of the inputs is doubtful, is said. */
@NoLeaks
class MergeInputsTest {

    private static final String CONVERT =
            "; convert it to safetensors: load it with transformers and write it with save_pretrained";

    @TempDir
    Path temp;

    @BeforeEach
    void model() throws IOException {
        write("good", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {1, 2}, 2));
    }

    private void write(String name, String settings, SafetensorsBuilder tensors) throws IOException {
        file(name + "/model.safetensors", tensors.toBytes());
        file(name + "/config.json", "{\"model_type\": \"llama\", \"num_hidden_layers\": 1" + settings + "}");
    }

    private void file(String name, byte[] bytes) throws IOException {
        Files.createDirectories(temp.resolve(name).getParent());
        Files.write(temp.resolve(name), bytes);
    }

    private void file(String name, String text) throws IOException {
        file(name, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private MergePreview plan(String method, String rest, String... models) {
        return CheckpointMerger.in(temp).plan(MergekitYaml.parse(text(method, rest, models)));
    }

    private static String text(String method, String rest, String... models) {
        StringBuilder text = new StringBuilder("merge_method: " + method + "\n" + rest + "models:\n");
        List.of(models)
                .forEach(model -> text.append("  - {model: \"").append(model).append("\", parameters: {weight: 1}}\n"));
        return text.toString();
    }

    private String refusal(String model) {
        MergePreview preview = plan("linear", "", "good", model);
        assertThat(preview.errors()).hasSize(1);
        return preview.errors().get(0);
    }

    @Test
    void picklesAreNamedAndNotRead() throws IOException {
        file("bin/config.json", "{}");
        file("bin/pytorch_model.bin", "PK");

        assertThat(refusal("bin"))
                .isEqualTo(
                        "model bin has no safetensors but pytorch_model.bin, which are pickles of PyTorch: reading one"
                                + " can run code, so none is read" + CONVERT);
    }

    @Test
    void otherFormatsAreNamed() throws IOException {
        file("keras/config.json", "{}");
        file("keras/tf_model.h5", "x");

        assertThat(refusal("keras"))
                .isEqualTo("model keras has no safetensors but tf_model.h5, which is not read" + CONVERT);
    }

    @Test
    void anAdapterIsToBeWrittenWithItsBase() throws IOException {
        file("lora/adapter_config.json", "{\"base_model_name_or_path\": \"owner/base\"}");
        file("lora/adapter_model.safetensors", "x");

        assertThat(refusal("lora"))
                .isEqualTo("model lora is an adapter, not a model; write it with its base, owner/base+lora");
    }

    @Test
    void aGraphWithoutSafetensorsIsToBeNamedItself() throws IOException {
        file("graph/config.json", "{}");
        file("graph/onnx/model.onnx", "x");
        file("graph/onnx/model_q4.onnx", "x");

        assertThat(refusal("graph"))
                .isEqualTo(
                        "model graph has no safetensors but onnx/model.onnx, onnx/model_q4.onnx; name one such file, which"
                                + " can be merged with ONNX models of the same graph, or download the safetensors");
    }

    @Test
    void aPageWhereSettingsAreDueIsNamed() throws IOException {
        file("page/adapter_config.json", "<!DOCTYPE html>\n<html><body>Log in</body></html>");
        file("page/adapter_model.safetensors", "x");

        assertThat(refusal("good+page"))
                .isEqualTo(temp.resolve("page/adapter_config.json")
                        + " is not JSON: it is a web page, not the file; download the file itself, and log in first if the"
                        + " page asks for it");
    }

    @ParameterizedTest
    @CsvSource({"LINEAR, linear", "Task-Arithmetic, task_arithmetic", "DARE TIES, dare_ties", "Tiez, ties"})
    void aMethodInOtherLettersIsToBeSpelledAsItIsKnown(String written, String known) {
        assertThat(plan(written, "", "good", "good").errors().get(0))
                .startsWith("merge_method " + written + " is unknown (did you mean " + known + "?); known are ");
    }

    @Test
    void aModelIsNoAdapter() throws IOException {
        write("other", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {1, 2}, 2));

        assertThat(refusal("good+other"))
                .isEqualTo(temp.resolve("other")
                        + " is a model, not an adapter; name it as a model of its own, or make an adapter of it with pollux"
                        + " extract-lora");
    }

    @Test
    void anAdapterInAPickleIsNamed() throws IOException {
        file("old/adapter_config.json", "{}");
        file("old/adapter_model.bin", "PK");

        assertThat(refusal("good+old"))
                .isEqualTo("The adapter " + temp.resolve("old")
                        + " has no adapter_model.safetensors but adapter_model.bin, a pickle of PyTorch: reading it can run"
                        + " code, so it is not read; convert it: load it with PEFT and write it with save_pretrained");
    }

    @Test
    void aNameOfTheHubIsToBeFetched() {
        assertThat(refusal("owner/name"))
                .isEqualTo("model owner/name not found: " + temp.resolve("owner/name")
                        + " is not a folder; nothing is fetched"
                        + " here, fetch it with pollux fetch hf:owner/name and name the folder");
    }

    @Test
    void aFileIsNoFolder() {
        assertThat(refusal("good/model.safetensors"))
                .isEqualTo("model good/model.safetensors is the file model.safetensors, not a folder; name its folder, "
                        + temp.resolve("good").toAbsolutePath());
    }

    @Test
    void foldersOfCachesAndTrainersLeadToTheModel() throws IOException {
        file("models--o--n/snapshots/abc/config.json", "{}");
        file("models--o--n/refs/main", "abc");
        file("run/checkpoint-10/model.safetensors", "x");
        file("run/trainer.txt", "x");
        Files.createDirectories(temp.resolve("empty"));

        assertThat(refusal("models--o--n"))
                .isEqualTo(
                        "model models--o--n is an entry of the hub's cache; name the folder of a revision in it, such as "
                                + temp.resolve("models--o--n/snapshots/abc"));
        assertThat(refusal("run"))
                .isEqualTo("model run has no weights itself, but its folders checkpoint-10 have; name one of them");
        file("lora/checkpoint-10/adapter_config.json", "{}");
        assertThat(refusal("lora"))
                .isEqualTo(
                        "model lora has no weights itself, but its folders checkpoint-10 hold adapters; write one with"
                                + " its base, base+lora/checkpoint-10");
        assertThat(refusal("empty")).isEqualTo("model empty is an empty folder; download the model into it");
    }

    @Test
    void whatIsLeftOfADownloadIsNamed() throws IOException {
        file("part/config.json", "{}");
        file("part/tokenizer.json", "{}");
        file("shard/config.json", "{}");
        file("shard/model-00001-of-00002.safetensors", "x");
        file("bare/model.safetensors", "x");

        assertThat(refusal("part"))
                .isEqualTo(
                        "model part has no weights, only config.json, tokenizer.json; download model.safetensors, or the"
                                + " files that model.safetensors.index.json names");
        assertThat(refusal("shard"))
                .isEqualTo("model shard has neither model.safetensors nor model.safetensors.index.json but"
                        + " model-00001-of-00002.safetensors; download what is missing");
        assertThat(refusal("bare")).isEqualTo("model bare has no config.json; download it too, the weights need it");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "version https://git-lfs.github.com/spec/v1 oid| it is a Git LFS pointer, not the file itself; fetch the file"
                        + " with git lfs pull",
                "<!DOCTYPE html><html>| it is a web page, not the file; download the file itself, and log in first if the"
                        + " page asks for it",
                "Entry not found| it is a text, 'Entry not found'; download the file again",
                "GGUF1234| it is a GGUF file; give it the ending .gguf",
                "''| it is empty; download the file again",
            })
    void aFileOfWeightsThatIsAnotherThingIsNamed(String content, String due) throws IOException {
        file("wrong/config.json", "{}");
        file("wrong/model.safetensors", content);

        assertThat(refusal("wrong"))
                .isEqualTo(temp.resolve("wrong/model.safetensors") + " is not a valid safetensors file: " + due);
    }

    @Test
    void quantizedWeightsAreNamedOnce() throws IOException {
        SafetensorsBuilder codes = new SafetensorsBuilder()
                .tensor("model.layers.0.a.weight", DType.U8, new byte[2], 2, 1)
                .floats("model.layers.0.a.weight.absmax", new float[] {1}, 1);
        write("bnb", ", \"quantization_config\": {\"quant_method\": \"bitsandbytes\"}", codes);
        write("unsaid", "", codes);
        write("fp8", "", new SafetensorsBuilder().tensor("model.layers.0.a.weight", DType.F8_E4M3, new byte[2], 2, 1));

        assertThat(refusal("bnb"))
                .isEqualTo("model bnb is quantized by bitsandbytes, and only float weights can be merged; use the"
                        + " unquantized model");
        assertThat(refusal("unsaid")).startsWith("model unsaid is quantized by bitsandbytes,");
        assertThat(refusal("fp8")).startsWith("model fp8 is quantized by fp8,");
    }

    @Test
    void floatWeightsAreNotQuantizedWhateverTheConfigurationSays() throws IOException {
        write(
                "stale",
                ", \"quantization_config\": {\"quant_method\": \"bitsandbytes\"}",
                new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {1, 2}, 2));

        CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse(text("linear", "", "stale", "good")), temp.resolve("out"))
                .run();

        assertThat(JsonFile.object(temp.resolve("out/config.json"))
                        .orElseThrow()
                        .has("quantization_config"))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'\"num_attention_heads\": 2'|'\"num_attention_heads\": 4'"
                        + "|'num_attention_heads is 2 in one, which the result keeps, but 4 in two'",
                "'\"hidden_act\": \"silu\"'|'\"hidden_act\": \"gelu\"'"
                        + "|'hidden_act is silu in one, which the result keeps, but gelu in two'",
                "'\"architectures\": [\"A\"]'|'\"architectures\": [\"B\"]'"
                        + "|'architectures is A in one, which the result keeps, but B in two'",
                "'\"rms_norm_eps\": 1e-5'|'\"rms_norm_eps\": 1e-6'"
                        + "|'rms_norm_eps is 1e-5 in one, which the result keeps, but 1e-6 in two'",
                "'\"rope_theta\": 10000.0'|'\"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": \"default\"}'"
                        + "|'rope_theta is 10000.0 in one, which the result keeps, but 500000 in two'",
                "'\"rope_scaling\": null'|'\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}'"
                        + "|'rope_scaling is not set in one, which the result keeps, but"
                        + " {\"factor\":2,\"rope_type\":\"linear\"} in two'",
                "'\"num_attention_heads\": 4, \"num_key_value_heads\": 4'|'\"num_attention_heads\": 4'|",
                "'\"num_attention_heads\": 4, \"num_key_value_heads\": 2'|'\"num_attention_heads\": 4'"
                        + "|'num_key_value_heads is 2 in one, which the result keeps, but 4 in two'",
                "'\"tie_word_embeddings\": true'|'\"tie_word_embeddings\": false'"
                        + "|'tie_word_embeddings is true in one but false in two; the result ties its head to its embedding'",
                "'\"sliding_window\": null'|'\"sliding_window\": 4096'"
                        + "|'sliding_window is not set in one, which the result keeps, but 4096 in two'",
                "'\"final_logit_softcapping\": 30'|'\"use_cache\": true'"
                        + "|'final_logit_softcapping is 30 in one, which the result keeps, but not set in two'",
                "'\"attention_bias\": false, \"partial_rotary_factor\": 1.0'|'\"use_cache\": true'|",
                "'\"sliding_window\": 4096, \"use_sliding_window\": false'|'\"sliding_window\": null'|",
                "'\"rope_theta\": 10000, \"use_cache\": true'|'\"rope_theta\": 10000.0, \"transformers_version\": \"5\"'|",
            })
    void settingsThatDifferAreNamedInTheDryRun(String one, String two, String due) throws IOException {
        SafetensorsBuilder weights = new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {1, 2}, 2);
        write("one", ", " + one, weights);
        write("two", ", " + two, weights);

        assertThat(plan("linear", "", "one", "two").notices()).isEqualTo(due == null ? List.of() : List.of(due));
    }

    @Test
    void typesThatDifferAreNamedWhereThePlanNamesNone() throws IOException {
        write("half", "", new SafetensorsBuilder().tensor("model.layers.0.a.weight", DType.F16, new byte[4], 2));

        assertThat(plan("linear", "", "good", "half").notices())
                .containsExactly(
                        "the plan names no dtype, and the weights are stored as float32 in good and float16 in half;"
                                + " each tensor is written as float32 where they differ, give dtype for another type");
        assertThat(plan("linear", "dtype: bfloat16\n", "good", "half").notices())
                .isEmpty();
    }

    @Test
    void valuesThatAreNotFiniteAreCountedPerTensor() throws IOException {
        write(
                "broken",
                "",
                new SafetensorsBuilder()
                        .floats("model.layers.0.a.weight", new float[] {Float.NaN, Float.NEGATIVE_INFINITY}, 2));

        MergeReport report = CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse(text("linear", "", "good", "broken")), temp.resolve("out"))
                .run();

        assertThat(report.notices())
                .containsExactly(
                        "model broken holds 2 values that are not finite (NaN or infinite), in model.layers.0.a.weight; download"
                                + " it again",
                        "the result holds 2 values that are not finite (NaN or infinite), in model.layers.0.a.weight; it will"
                                + " not compute");
        assertThat(report.tensors().get(0).facts())
                .containsEntry("notFinite", "2")
                .containsEntry("notFinite of broken", "2");
    }

    @Test
    void aNumberThatAMaskDropsIsCountedWhereverItIs() throws IOException {
        int columns = 1 << 12;
        int rows = 1 << 8; // more windows than statistics look at
        write("base", "", new SafetensorsBuilder().floats("a.weight", new float[rows * columns], rows, columns));
        float[] values = new float[rows * columns];
        for (int at = columns; at < values.length; at += values.length / 5) {
            values[at] = Float.NaN;
        }
        write("broken", "", new SafetensorsBuilder().floats("a.weight", values, rows, columns));

        MergeReport report = CheckpointMerger.in(temp)
                .merge(
                        MergekitYaml.parse("merge_method: dare_linear\nbase_model: base\n"
                                + "models:\n  - {model: broken, parameters: {weight: 1, density: 1.0e-6}}\n"),
                        temp.resolve("out"))
                .run();

        assertThat(report.notices())
                .containsExactly(
                        "model broken holds 5 values that are not finite (NaN or infinite), in a.weight; download it again");
    }

    @ParameterizedTest
    @CsvSource({
        "float16, 65519, false",
        "float16, 65520, true",
        "bfloat16, 3.4028235e38, true",
        "bfloat16, 3.3e38, false",
        "float32, 3.4028235e38, false"
    })
    void valuesThatRoundToInfinityAreCounted(String type, float value, boolean overflows) throws IOException {
        write("large", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {value, 1}, 2));

        MergeReport report = CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse(text("linear", "dtype: " + type + "\n", "large")), temp.resolve("out"))
                .run();

        String advice = type.equals("float16")
                ? ", which ends at 65504, and became infinite, in model.layers.0.a.weight; write bfloat16 or float32"
                : " and became infinite, in model.layers.0.a.weight; write float32";
        assertThat(report.notices())
                .isEqualTo(
                        overflows ? List.of("1 values of the result are too large for " + type + advice) : List.of());
    }

    @Test
    void aDensityOfZeroGivesTheBaseAndIsNoted() throws IOException {
        write("tuned", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {5, 6}, 2));
        for (String method : List.of("dare_linear", "dare_ties", "della", "della_linear", "breadcrumbs")) {
            String plan = "merge_method: " + method + "\nbase_model: good\nmodels:\n"
                    + "  - {model: tuned, parameters: {weight: 1, density: 0}}\n";

            MergeReport report = CheckpointMerger.in(temp)
                    .merge(MergekitYaml.parse(plan), temp.resolve(method))
                    .run();

            assertThat(report.notices())
                    .containsExactly(
                            "nothing of the change of tuned is kept in model.layers.0.a.weight, where its density is"
                                    + " 0.0");
            assertThat(temp.resolve(method).resolve("model.safetensors"))
                    .hasSameBinaryContentAs(temp.resolve("dare_linear/model.safetensors"));
        }
    }

    @Test
    void anEmptyRangeOfLayersIsAnError() {
        MergePreview preview = CheckpointMerger.in(temp)
                .plan(MergekitYaml.parse(
                        "merge_method: passthrough\nslices: [{sources: [{model: good, layer_range: [1, 1]}]}]"));

        assertThat(preview.errors())
                .containsExactly(
                        "layer_range of good must hold a layer but was [1,1]; its second number is the layer after"
                                + " the last");
    }

    @Test
    void parametersThatNothingReadsAreNamed() throws IOException {
        write("tuned", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {5, 6}, 2));

        assertThat(plan("karcher", "", "good", "tuned").notices())
                .containsExactly("parameter weight has no effect in karcher");
        assertThat(plan("ties", "base_model: good\n", "good", "tuned").notices())
                .containsExactly(
                        "parameter weight of base_model good has no effect in ties; it is for the other models");
        assertThat(plan(
                                "ties",
                                "base_model: good\nparameters: {density: [{filter: mlpp, value: 0.1}, {value: 1}]}\n",
                                "tuned")
                        .notices())
                .containsExactly("filter mlpp of parameter density matches no tensor and has no effect");
    }

    @Test
    void tokenizersThatNumberTokensOtherwiseAreNamed() throws IOException {
        write("other", "", new SafetensorsBuilder().floats("model.layers.0.a.weight", new float[] {5, 6}, 2));
        file("good/tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2}}}");
        file("other/tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 2, \"c\": 1, \"d\": 3}}}");

        assertThat(plan("linear", "", "good", "other").notices())
                .containsExactly(
                        "the tokenizer of other gives 2 tokens, such as b, other numbers than that of good, which"
                                + " the result keeps; a tokenizer section would merge by token");
    }
}
