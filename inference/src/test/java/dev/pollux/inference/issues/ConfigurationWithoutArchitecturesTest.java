package dev.pollux.inference.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A configuration that was saved alone, with {@code model_type} and no {@code architectures}, was read as that of a Llama. */
@NoLeaks
class ConfigurationWithoutArchitecturesTest {

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, llama",
        "MistralForCausalLM, mistral",
        "Qwen2ForCausalLM, qwen2",
        "Qwen3ForCausalLM, qwen3",
    })
    void theTypeDeterminesTheArchitecture(String architecture, String type) throws IOException {
        Path model = TinyDecoder.of(architecture, type, 5).write(temp.resolve("model"));
        String config = Files.readString(model.resolve("config.json"));
        assertThat(config).contains("[\"" + architecture + "\"]");
        for (String changed : new String[] {"null", "[]"}) {
            Path other = TinyDecoder.of(architecture, type, 5).write(temp.resolve(changed));
            Files.writeString(other.resolve("config.json"), config.replace("[\"" + architecture + "\"]", changed));
            assertThat(Answers.of(other, temp.resolve("cache")))
                    .as(changed)
                    .isEqualTo(Answers.of(model, temp.resolve("cache")));
        }
        Files.writeString(
                model.resolve("config.json"),
                config.replaceFirst("\"architectures\": *\\[\"" + architecture + "\"],", ""));
        assertThat(Files.readString(model.resolve("config.json"))).doesNotContain("architectures");
        assertThat(Answers.of(model, temp.resolve("cache")))
                .isEqualTo(Answers.of(temp.resolve("null"), temp.resolve("cache")));
    }
}
