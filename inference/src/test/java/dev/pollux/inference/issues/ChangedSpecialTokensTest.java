package dev.pollux.inference.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A change of {@code special_tokens_map.json} had no effect until the cache of exports was deleted. */
@NoLeaks
class ChangedSpecialTokensTest {

    @TempDir
    Path temp;

    @Test
    void theTemplateGetsTheTokenOfTheChangedFile() throws IOException {
        Path model = TinyDecoder.llama(5).write(temp.resolve("model"));
        Files.writeString(model.resolve("chat_template.jinja"), "{% for letter in eos_token %}x{% endfor %}");
        assertThat(tokens(model, "</s>")).isEqualTo(4);
        assertThat(tokens(model, "end of turn")).isEqualTo(11);
        assertThat(tokens(model, "</s>")).isEqualTo(4);
    }

    private int tokens(Path model, String end) throws IOException {
        Files.writeString(model.resolve("special_tokens_map.json"), "{\"eos_token\": \"" + end + "\"}");
        try (OnnxGenerator generator = Answers.open(model, temp.resolve("cache"))) {
            return generator.countTokens(Prompt.chat(Message.user("hi")));
        }
    }
}
