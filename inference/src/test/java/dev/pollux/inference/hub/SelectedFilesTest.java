package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Choosing files, with lists as publishers have them. */
class SelectedFilesTest {

    private static SelectedFiles of(FileSelection selection, String... listing) {
        return SelectedFiles.of(selection, List.of(listing), "owner/name");
    }

    private static SelectedFiles automatic(String... listing) {
        return of(FileSelection.AUTOMATIC, listing);
    }

    @Test
    void aFolderIsTakenWithoutTheCopiesOfItsWeights() {
        assertThat(automatic(
                        ".gitattributes",
                        "LICENSE",
                        "README.md",
                        "config.json",
                        "consolidated.safetensors",
                        "flax_model.msgpack",
                        "generation_config.json",
                        "merges.txt",
                        "model.safetensors",
                        "onnx/model.onnx",
                        "original/consolidated.00.pth",
                        "params.json",
                        "pytorch_model.bin",
                        "runs/events",
                        "special_tokens_map.json",
                        "tf_model.h5",
                        "tokenizer.json",
                        "tokenizer.model",
                        "tokenizer_config.json",
                        "vocab.json"))
                .isEqualTo(new SelectedFiles(
                        List.of(
                                "LICENSE",
                                "README.md",
                                "config.json",
                                "generation_config.json",
                                "merges.txt",
                                "model.safetensors",
                                "special_tokens_map.json",
                                "tokenizer.json",
                                "tokenizer.model",
                                "tokenizer_config.json",
                                "vocab.json"),
                        ""));
    }

    @Test
    void shardsAreTakenWithTheirIndex() {
        assertThat(automatic(
                                "config.json",
                                "model-00001-of-00002.safetensors",
                                "model-00002-of-00002.safetensors",
                                "model.safetensors.index.json",
                                "consolidated.safetensors",
                                "pytorch_model-00001-of-00002.bin",
                                "pytorch_model.bin.index.json")
                        .paths())
                .containsExactly(
                        "config.json",
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model.safetensors.index.json");
    }

    @Test
    void aMissingShardIsNamed() {
        assertThatThrownBy(() -> automatic("model-00001-of-00002.safetensors", "model.safetensors.index.json"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("model.safetensors of owner/name must have 2 shards but has 1; choose another model or"
                        + " revision");
        assertThatThrownBy(() -> automatic("m-Q8_0-00002-of-00002.gguf"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("m-Q8_0.gguf of owner/name must have 2 shards but has 1; choose another model or revision");
    }

    @Test
    void theModulesOfSentenceTransformersAreTaken() {
        assertThat(automatic(
                                "1_Pooling/config.json",
                                "2_Dense/config.json",
                                "2_Dense/model.safetensors",
                                "2_Dense/pytorch_model.bin",
                                "config.json",
                                "config_sentence_transformers.json",
                                "model.safetensors",
                                "modules.json",
                                "openvino/openvino_model.bin",
                                "sentence_bert_config.json",
                                "vocab.txt")
                        .paths())
                .containsExactly(
                        "1_Pooling/config.json",
                        "2_Dense/config.json",
                        "2_Dense/model.safetensors",
                        "config.json",
                        "config_sentence_transformers.json",
                        "model.safetensors",
                        "modules.json",
                        "sentence_bert_config.json",
                        "vocab.txt");
    }

    @Test
    void anAdapterIsTakenWithItsConfiguration() {
        assertThat(automatic("README.md", "adapter_config.json", "adapter_model.safetensors", "training_args.bin")
                        .paths())
                .containsExactly("README.md", "adapter_config.json", "adapter_model.safetensors");
    }

    @Test
    void ofGgufFilesTheUsualQuantizationIsTaken() {
        SelectedFiles four = automatic("README.md", "m-F16.gguf", "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf");
        assertThat(four).isEqualTo(new SelectedFiles(List.of("m-Q4_K_M.gguf"), "m-Q4_K_M.gguf"));
        assertThat(automatic("m.Q8_0.gguf", "m.Q6_K.gguf").model()).isEqualTo("m.Q6_K.gguf");
        assertThat(automatic("anything.gguf", "mmproj-model-f16.gguf").model()).isEqualTo("anything.gguf");
        assertThat(automatic("m-Q8_0.gguf", "mtp-m-Q4_0.gguf", "eagle3-m-Q4_K_M.gguf")
                        .model())
                .isEqualTo("m-Q8_0.gguf");
        assertThat(automatic("config.json", "model.safetensors", "m-Q4_K_M.gguf")
                        .model())
                .isEmpty();
    }

    @Test
    void ggufFilesThatCannotBeToldApartAreListed() {
        assertThatThrownBy(() -> automatic("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("owner/name holds 2 models in Q4_K_M, a-Q4_K_M.gguf, b-Q4_K_M.gguf; name the file, such as"
                        + " hf:owner/name:a-Q4_K_M.gguf");
        assertThatThrownBy(() -> automatic("a.gguf", "b-IQ1_S.gguf", "b-Q2_K.gguf"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("owner/name holds 3 models in GGUF and none that is usually taken, but [IQ1_S, Q2_K,"
                        + " a.gguf]; name one, such as hf:owner/name:a*.gguf");
    }

    @ParameterizedTest
    @CsvSource({
        "Llama-3.2-1B-Instruct-Q4_K_M.gguf, Q4_K_M",
        "llama-2-7b.Q4_K_M.gguf, Q4_K_M",
        "qwen2.5-0.5b-instruct-q4_k_m.gguf, Q4_K_M",
        "Phi-3-mini-4k-instruct-fp16.gguf, F16",
        "gemma-3-1b-it-BF16.gguf, BF16",
        "phi-3-mini-q4.gguf, Q4",
        "Q4_K_M/model-Q4_K_M-00001-of-00003.gguf, Q4_K_M",
        "BF16/model-00001-of-00002.gguf, BF16",
        "gpt-oss-20b-mxfp4.gguf, MXFP4",
        "DeepSeek-V3-UD-Q4_K_XL.gguf, UD-Q4_K_XL",
        "m.Q4_0_4_8.gguf, Q4_0_4_8",
        "m-IQ2_XXS.gguf, IQ2_XXS",
        "m-TQ1_0.gguf, TQ1_0",
        "m.i1-Q4_K_S.gguf, Q4_K_S",
        "m-Q4_K_M-imat.gguf, Q4_K_M",
        "SmolLM2-135M-Instruct.Q4_1.gguf, Q4_1",
        "unsloth.Q8_0.gguf, Q8_0",
        "FAQ8.gguf, ''",
        "model.gguf, ''"
    })
    void aNameSaysItsQuantization(String path, String quantization) {
        assertThat(GgufName.of(path)).get().extracting(GgufName::quantization).isEqualTo(quantization);
    }

    @Test
    void aQuantizationIsTakenByItsWholeName() {
        String[] listing = {"m-Q4_K_S.gguf", "m-Q4_K_M.gguf", "m-UD-Q4_K_XL.gguf", "m-Q4_0.gguf", "m-f16.gguf"};

        assertThat(of(FileSelection.gguf("q4_k_m"), listing).model()).isEqualTo("m-Q4_K_M.gguf");
        assertThat(of(FileSelection.gguf("Q4_K_XL"), listing).model()).isEqualTo("m-UD-Q4_K_XL.gguf");
        assertThat(of(FileSelection.gguf("UD-Q4_K_XL"), listing).model()).isEqualTo("m-UD-Q4_K_XL.gguf");
        assertThat(of(FileSelection.gguf("fp16"), listing).model()).isEqualTo("m-f16.gguf");
        assertThatThrownBy(() -> of(FileSelection.gguf("Q4_K"), listing))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("No GGUF of owner/name is quantized as Q4_K, only [F16, Q4_0, Q4_K_M, Q4_K_S, UD-Q4_K_XL]");
        assertThatThrownBy(() -> of(FileSelection.gguf("Q4_K"), "model.safetensors"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("owner/name holds no GGUF file, so there is no Q4_K to take; it holds model.safetensors");
    }

    @Test
    void patternsThatMatchOneGgufNameItAsTheModel() {
        String[] listing = {"a-Q4_K_M.gguf", "b-Q4_K_M.gguf", "README.md"};

        assertThat(of(FileSelection.matching("a-*", "*.md"), listing))
                .isEqualTo(new SelectedFiles(List.of("README.md", "a-Q4_K_M.gguf"), "a-Q4_K_M.gguf"));
        assertThat(of(FileSelection.matching("*.gguf"), listing).model()).isEmpty();
        assertThat(of(FileSelection.gguf("Q4_K_M").without("b-*"), listing).model())
                .isEqualTo("a-Q4_K_M.gguf");
        assertThatThrownBy(() -> of(FileSelection.matching("*.bin"), listing))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("No file of owner/name matches *.bin; it holds README.md, a-Q4_K_M.gguf, b-Q4_K_M.gguf");
    }

    @Test
    void aFolderForOnnxruntimeGenaiIsTakenWithItsData() {
        assertThat(automatic("genai_config.json", "model.onnx", "model.onnx.data", "tokenizer.json", "other/x.onnx")
                        .paths())
                .containsExactly("genai_config.json", "model.onnx", "model.onnx.data", "tokenizer.json");
    }

    @Test
    void ofARepositoryOfOnnxVariantsTheMostExactIsTaken() {
        String[] listing = {
            "README.md",
            "config.json",
            "onnx/model_fp16.onnx",
            "onnx/model_fp16.onnx_data",
            "onnx/model_q4.onnx",
            "onnx/model_q4.onnx_data",
            "onnx/model_q4.onnx_data_1",
            "onnx/model_q4f16.onnx_data",
            "tokenizer.json"
        };

        assertThat(automatic(listing))
                .isEqualTo(new SelectedFiles(
                        List.of(
                                "README.md",
                                "config.json",
                                "onnx/model_fp16.onnx",
                                "onnx/model_fp16.onnx_data",
                                "tokenizer.json"),
                        "onnx/model_fp16.onnx"));
        assertThat(of(FileSelection.matching("onnx/model_q4.onnx"), listing))
                .isEqualTo(new SelectedFiles(
                        List.of(
                                "README.md",
                                "config.json",
                                "onnx/model_q4.onnx",
                                "onnx/model_q4.onnx_data",
                                "onnx/model_q4.onnx_data_1",
                                "tokenizer.json"),
                        "onnx/model_q4.onnx"));
        assertThat(of(FileSelection.matching("onnx/model_q4.*"), listing).model())
                .isEmpty();
    }

    @Test
    void anOnnxDecoderInTwoGraphsIsTakenWithBoth() {
        assertThat(automatic("config.json", "decoder_model.onnx", "decoder_with_past_model.onnx", "tokenizer.json"))
                .isEqualTo(new SelectedFiles(
                        List.of("config.json", "decoder_model.onnx", "decoder_with_past_model.onnx", "tokenizer.json"),
                        "decoder_model.onnx"));
    }

    @Test
    void aFolderForOnnxruntimeGenaiBelowTheRootNamesItsGraph() {
        assertThat(of(
                                FileSelection.matching("cpu/int4/"),
                                "config.json",
                                "cpu/int4/genai_config.json",
                                "cpu/int4/model.onnx",
                                "cpu/int4/model.onnx.data",
                                "gpu/int4/model.onnx")
                        .model())
                .isEqualTo("cpu/int4/model.onnx");
    }

    @ParameterizedTest
    @CsvSource({
        "*.json, a/b/c.json, true",
        "*.json, c.jsonl, false",
        "onnx/, onnx/a/b, true",
        "onnx/, onnx, false",
        "a?c, abc, true",
        "a?c, ac, false",
        "[a], a, false",
        "[a], [a], true",
        "*a*b*, xxaxxbxx, true",
        "a, A, false",
        "*, anything/at/all, true"
    })
    void aPatternMatches(String pattern, String path, boolean matches) {
        assertThat(FileSelection.matches(pattern, path)).isEqualTo(matches);
    }

    @Test
    void aPatternThatTriesHardIsStillFast() {
        assertThat(FileSelection.matches("*a".repeat(200) + "b", "a".repeat(1000)))
                .isFalse();
    }

    @Test
    void aSelectionIsEitherAQuantizationOrPatterns() {
        assertThatThrownBy(() -> new FileSelection("Q8_0", List.of("*.gguf"), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "A selection has either a quantization or patterns but was given Q8_0 and [*.gguf]; leave one"
                                + " of them out");
        assertThatThrownBy(() -> FileSelection.gguf("large"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("quantization must be a name such as Q4_K_M, IQ2_XXS, Q8_0, F16 or MXFP4 but was 'LARGE'");
        assertThatThrownBy(() -> FileSelection.matching(""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A pattern must have 1 to 1024 characters but has 0; write a path such as *.gguf");
    }
}
