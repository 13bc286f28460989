package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.generation.Message;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.inference.template.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files as Python writes them, and which of them count. */
class ModelTextsTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[0.0, Infinity] | [0.0, Infinity]",
                "[-Infinity, 1] | [-Infinity, 1.0]",
                "[0.0, {\"__float__\": \"Infinity\"}] | [0.0, Infinity]",
                "[{\"__float__\": \"-Infinity\"}, 2] | [-Infinity, 2.0]",
                "null | []",
            })
    void numbersMayBeInfinite(String written, String read) throws IOException {
        assertThat(settings("{\"limit\": " + written + "}").numbers("limit").toString())
                .isEqualTo(read);
    }

    @Test
    void whatIsNoNumberIsRefusedInAListOfThem() throws IOException {
        for (String written : List.of("NaN", "{\"__float__\": \"NaN\"}", "\"x\"", "{}")) {
            Settings settings = settings("{\"limit\": [" + written + "]}");
            assertThatThrownBy(() -> settings.numbers("limit"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageStartingWith(settings.file() + ": limit must hold numbers but held ");
        }
    }

    @Test
    void whatIsNotReadMayHoldAnyNumberOfPython() throws IOException {
        Settings settings = settings("{\"unused\": NaN, \"other\": -Infinity, \"hidden_size\": 64.0, \"layers\": 0.0}");
        assertThat(settings.integer("hidden_size")).isEqualTo(64);
        assertThat(settings.count("layers", 7)).isZero();
        assertThatThrownBy(() -> settings.number("unused", 1))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(settings.file() + ": unused must be a number but was NaN");
    }

    @Test
    void ofTemplatesByNameTheDefaultIsTaken() throws IOException {
        Path file = folder.resolve("tokenizer_config.json");
        Files.writeString(file, "{\"chat_template\": {\"tool_use\": \"t\", \"default\": \"d\"}}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("d");
        Files.writeString(
                file,
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}, {\"name\": \"default\", \"template\": \"d\"}]}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("d");
    }

    @Test
    void aSingleTemplateIsTakenWhateverItsName() throws IOException {
        Path file = folder.resolve("tokenizer_config.json");
        Files.writeString(file, "{\"chat_template\": {\"tool_use\": \"t\", \"rag\": \"\"}}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("t");
        Files.writeString(file, "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}]}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("r");
        Files.writeString(file, "{\"chat_template\": []}");
        assertThat(ModelTexts.in(folder).chatTemplate()).isEmpty();
    }

    @Test
    void ofSeveralTemplatesWithoutADefaultOneIsToBeChosen() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"chat_template\": {\"tool_use\": \"t\", \"r') }}\": \"r\"}}");
        ChatTemplate template =
                ChatTemplate.parse(ModelTexts.in(folder).chatTemplate().orElseThrow());
        assertThatThrownBy(() -> template.render(ChatTemplate.Input.of(List.of(Message.user("Hello")))))
                .isInstanceOf(TemplateException.class)
                .hasMessage(
                        "tokenizer_config.json has the chat templates tool_use, r????? and none called default; copy"
                                + " the one to use into chat_template.jinja");
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"p\"}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("p");
    }

    @Test
    void theTemplateOfAProcessorCountsWhereNoOtherIs() throws IOException {
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"p\"}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("p");
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"chat_template\": \"t\"}");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("t");
        Files.writeString(folder.resolve("chat_template.jinja"), "j");
        assertThat(ModelTexts.in(folder).chatTemplate()).contains("j");
    }

    @Test
    void aByteOrderMarkIsPassedOver() throws IOException {
        assertThat(settings("\uFEFF{\"a\": 1}").integer("a")).isEqualTo(1);
    }

    @Test
    void everyFileThatIsReadIsListed() throws IOException {
        List<String> names = List.of(
                "added_tokens.json",
                "chat_template.jinja",
                "chat_template.json",
                "config.json",
                "generation_config.json",
                "qwen.tiktoken",
                "special_tokens_map.json",
                "tiktoken.model",
                "tokenizer.json",
                "tokenizer.model",
                "tokenizer_config.json");
        for (String name : names) {
            Files.writeString(folder.resolve(name), "{}");
        }
        Files.writeString(folder.resolve("notes.txt"), "");
        assertThat(ModelTexts.in(folder).files())
                .containsExactlyElementsOf(names.stream().map(folder::resolve).toList());
    }

    @Test
    void aFileThatIsNotListedCannotBeRead() {
        assertThatThrownBy(() -> ModelTexts.in(folder).settings("notes.json"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "name must be one of [config.json, generation_config.json, genai_config.json,"
                                + " tokenizer.json, tokenizer.model, tiktoken.model, tokenizer_config.json,"
                                + " special_tokens_map.json, added_tokens.json, chat_template.jinja, chat_template.json] but was notes.json");
    }

    @ParameterizedTest
    @CsvSource({
        "'', mistral, MistralForCausalLM",
        "'', gpt2, GPT2LMHeadModel",
        "MyOwnForCausalLM, qwen2, Qwen2ForCausalLM",
        "Qwen3ForCausalLM, llama, Qwen3ForCausalLM",
        "LlamaForSequenceClassification, llama, LlamaForSequenceClassification",
        "BloomForCausalLM, bloom, BloomForCausalLM",
        "'', unheard-of, unheard-of",
        "'', '', ''",
    })
    void theClassFollowsFromTheModelTypeWhereNoKnownOneIsNamed(String named, String modelType, String read) {
        assertThat(ModelTypes.decoder(named, modelType)).isEqualTo(read);
    }

    @Test
    void everyClassThatCanBeExportedFollowsFromAModelType() {
        assertThat(ModelTypes.decoders()).containsExactlyElementsOf(new TreeSet<>(DecoderExport.architectures()));
    }

    private Settings settings(String json) throws IOException {
        Files.writeString(folder.resolve("config.json"), json);
        return ModelTexts.in(folder).settings("config.json").orElseThrow();
    }
}
