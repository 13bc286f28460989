package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings of adapters in PEFT's form. */
class PeftConfigTest {

    @TempDir
    Path folder;

    private PeftConfig config(String json) throws IOException {
        Files.writeString(folder.resolve(PeftConfig.CONFIG), json);
        return PeftConfig.read(folder).orElseThrow();
    }

    @Test
    void whatIsNotSaidIsPeftsDefault() throws IOException {
        PeftConfig config = config("{}");
        assertThat(config.type()).isEqualTo("LORA");
        assertThat(config.is("use_dora")).isFalse();
        assertThat(config.scale("model.layers.0.mlp.up_proj", 4)).isEqualTo(2);
    }

    @Test
    void aPatternIsAModulesNameOrItsEnd() throws IOException {
        PeftConfig config = config("""
                {"lora_alpha": 16, "alpha_pattern": {"up_proj": 4, "^model.layers.1.mlp.down_proj": 12}}
                """);
        assertThat(config.scale("model.layers.0.mlp.up_proj", 4)).isEqualTo(1);
        assertThat(config.scale("model.layers.0.mlp.no_up_proj", 4)).isEqualTo(4);
        assertThat(config.scale("model.layers.1.mlp.down_proj", 4)).isEqualTo(3);
        assertThat(config.scale("model.layers.0.mlp.down_proj", 4)).isEqualTo(4);
    }

    @Test
    void rankStabilizedAdaptersAreDividedByTheRoot() throws IOException {
        assertThat(config("{\"lora_alpha\": 6, \"use_rslora\": true}").scale("q_proj", 9))
                .isEqualTo(2);
    }

    @Test
    void whatCannotBeReadIsSaid() throws IOException {
        assertThat(PeftConfig.read(folder.resolve("nowhere"))).isEmpty();
        PeftConfig config = config("{\"alpha_pattern\": {\".*_proj\": 4}}");
        assertThatThrownBy(() -> config.scale("q_proj", 2))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("The adapter " + folder
                        + " has alpha_pattern .*_proj, a regular expression; only names and ends"
                        + " of names can be read");
        assertThatThrownBy(() -> config("[1]"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve(PeftConfig.CONFIG) + " must be a JSON object");
    }
}
