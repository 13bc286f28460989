package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of the hub as users write them. */
class HubSpecTest {

    @Test
    void aModelHasARevisionAndASelection() {
        assertThat(HubSpec.parse("hf:owner/na.me-1_x"))
                .isEqualTo(new HubSpec("owner/na.me-1_x", "main", FileSelection.AUTOMATIC));
        assertThat(HubSpec.parse("hf:gpt2")).isEqualTo(new HubSpec("gpt2", "main", FileSelection.AUTOMATIC));
        assertThat(HubSpec.parse("hf:owner/name@refs/pr/1"))
                .isEqualTo(new HubSpec("owner/name", "refs/pr/1", FileSelection.AUTOMATIC));
        assertThat(HubSpec.parse("hf:owner/name@v1.0:iq4_xs"))
                .isEqualTo(new HubSpec("owner/name", "v1.0", FileSelection.gguf("IQ4_XS")));
        assertThat(HubSpec.parse("hf:owner/name:*.json,onnx/"))
                .isEqualTo(new HubSpec(
                        "owner/name", "main", new FileSelection("", List.of("*.json", "onnx/"), List.of())));
        assertThat(ModelHub.names("hf:owner/name")).isTrue();
        assertThat(ModelHub.names("models/name")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "owner/name",
                "hf:",
                "hf:/name",
                "hf:owner/",
                "hf:a/b/c",
                "hf:../name",
                "hf:owner/..",
                "hf:owner/a--b",
                "hf:owner/name.git",
                "hf:-owner/name",
                "hf:owner/na me",
                "hf:owner/näme",
                "hf:owner/name@",
                "hf:owner/name@../../x",
                "hf:owner/name@/abs",
                "hf:owner/name@a//b",
                "hf:owner/name@a\\b",
                "hf:owner/name@a b",
                "hf:owner/name@-x",
                "hf:owner/name@.hidden",
                "hf:owner/name@a/.b",
                "hf:owner/name@x.lock",
                "hf:owner/name@a@b",
                "hf:owner/name:",
                "hf:owner/name:large"
            })
    void whatIsWrittenOtherwiseIsRefused(String spec) {
        assertThatThrownBy(() -> HubSpec.parse(spec))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("A model of the hub must be written hf:owner/name, hf:owner/name@revision or"
                        + " hf:owner/name@revision:SELECTION but was '" + spec + "': ");
    }

    @Test
    void theReasonIsSaid() {
        assertThatThrownBy(() -> HubSpec.parse("hf:owner/name@a..b"))
                .hasMessageEndingWith("'hf:owner/name@a..b': 'a..b' is not a branch, tag or commit");
        assertThatThrownBy(() -> HubSpec.parse("hf:owner/name:large"))
                .hasMessageEndingWith(
                        ": 'large' is neither a quantization such as Q4_K_M nor a file pattern such as" + " *.gguf");
        assertThatThrownBy(() -> HubSpec.parse("hf:a/b/c"))
                .hasMessageEndingWith(": a repository is owner/name, and 'a/b/c' has more parts");
    }

    @Test
    void filesAreSelectedOnce() {
        HubSpec plain = HubSpec.parse("hf:owner/name");
        HubSpec selected = HubSpec.parse("hf:owner/name:Q8_0");

        assertThat(plain.selection(FileSelection.gguf("Q4_0"))).isEqualTo(FileSelection.gguf("Q4_0"));
        assertThat(selected.selection(FileSelection.AUTOMATIC)).isEqualTo(FileSelection.gguf("Q8_0"));
        assertThatThrownBy(() -> selected.selection(FileSelection.gguf("Q4_0")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("The files of owner/name must be selected once but were by ':' and by ");
    }
}
