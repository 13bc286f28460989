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
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A chat template that was saved with the line ends of Windows, or with a line end after its last line, gave another prompt
 * than Jinja2, which makes {@code \n} of line ends and drops the last.
 */
@NoLeaks
class TemplateWithWindowsLineEndsTest {

    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n", "\r"})
    void thePromptIsThatOfTheTemplateWithPlainLineEnds(String end) throws IOException {
        Path model = TinyDecoder.llama(5).write(temp.resolve("model"));
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{% for m in messages %}" + end + "[{{ m.content }}]" + end + "{%- endfor %}" + end + "." + end + "."
                        + end);
        try (OnnxGenerator generator = Answers.open(model, temp.resolve("cache"))) {
            assertThat(generator.countTokens(Prompt.chat(Message.user("hi\r\n"))))
                    .as("a token for each byte of the text, whose own line ends stay")
                    .isEqualTo("[hi\r\n].\n.".length());
        }
    }
}
