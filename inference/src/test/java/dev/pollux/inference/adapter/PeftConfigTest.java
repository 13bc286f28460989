package dev.pollux.inference.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
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
        assertThatThrownBy(() -> config("[1]"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve(PeftConfig.CONFIG) + " must be a JSON object");
    }

    @Test
    void aPatternIsARegularExpressionFromABeginningOfANameToItsEnd() throws IOException {
        PeftConfig config = config("""
            {"lora_alpha": 2, "alpha_pattern": {"layers.[02]..*(q|k)_proj": 4, ".*\\\\.layers\\\\.1\\\\..*_proj": 6,
             "(?P<which>up|gate)_proj": 8}}
            """);
        assertThat(config.scale("model.layers.0.self_attn.q_proj", 1)).isEqualTo(4);
        assertThat(config.scale("layers.2.self_attn.k_proj", 1)).isEqualTo(4);
        assertThat(config.scale("model.layers.0.self_attn.q_proj.more", 1)).isEqualTo(2);
        assertThat(config.scale("model.layers.1.self_attn.q_proj", 1)).isEqualTo(6);
        assertThat(config.scale("layers.1.self_attn.q_proj", 1)).isEqualTo(2); // nothing is before the first dot
        assertThat(config.scale("model.layers.3.mlp.up_proj", 1)).isEqualTo(8);
        assertThat(config.scale("model.layers.3.mlp.no_up_proj", 1)).isEqualTo(2);
    }

    @Test
    void aHostilePatternIsRefusedAndDoesNotRun() throws IOException {
        PeftConfig slow = config("{\"alpha_pattern\": {\".*.*.*.*.*.*.*b\": 4}}");
        String name = "a".repeat(60);
        assertThatThrownBy(() -> slow.scale(name, 1))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "The adapter " + folder + " has alpha_pattern .*.*.*.*.*.*.*b, which takes too long to match "
                                + name + "; write the names of the modules in its place");
        assertRefused("(", "is not a regular expression: Unclosed group");
        assertRefused("((){99}){2147483647}", "has more than 3 counted repetitions or one above 99");
        assertRefused("(((()" + "{9}){9}){9}){9}", "has more than 3 counted repetitions or one above 99");
        assertThatThrownBy(() -> config("{\"alpha_pattern\": {\"" + "(".repeat(2000) + "\": 4}}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + folder + " has alpha_pattern " + "(".repeat(100)
                        + "…, which is longer than 1000 characters; write the names of the modules in its place");
        PeftConfig nested = config("{\"alpha_pattern\": {\"" + "(".repeat(300) + "a" + ")*".repeat(300) + "\": 4}}");
        assertThatThrownBy(() -> nested.scale("a".repeat(900) + "b", 1)).isInstanceOf(MalformedFileException.class);
    }

    private void assertRefused(String pattern, String why) {
        assertThatThrownBy(() -> config("{\"alpha_pattern\": {\"" + pattern + "\": 4}}"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The adapter " + folder + " has alpha_pattern " + pattern + ", which " + why
                        + "; write the names of the modules in its place");
    }

    @Test
    void kindsOfAdaptersThatAreNoSumOfProductsAreNamed() throws IOException {
        assertThat(config("{\"use_dora\": true, \"init_lora_weights\": \"gaussian\"}")
                        .otherChange())
                .isEmpty();
        assertThat(config("{\"peft_type\": \"IA3\"}").otherChange()).contains("peft_type IA3, which is not LoRA");
        assertThat(config("{\"target_parameters\": [\"experts.up\"]}").otherChange())
                .contains("target_parameters");
        assertThat(config("{\"init_lora_weights\": \"pissa_niter_4\"}").otherChange())
                .contains("init_lora_weights pissa_niter_4, which changes the matrices of the base when it is loaded;"
                        + " let PEFT convert it to a plain LoRA (save_pretrained with"
                        + " path_initial_model_for_weight_conversion)");
    }

    @Test
    void trainedTokensAreAListOrATableByModule() throws IOException {
        assertThat(config("{\"trainable_token_indices\": [3, 5]}").tokens("model.embed_tokens"))
                .containsExactly(3, 5);
        PeftConfig table = config("{\"trainable_token_indices\": {\"embed_tokens\": [1], \"lm_head\": [2, 4]}}");
        assertThat(table.tokens("model.embed_tokens")).containsExactly(1);
        assertThat(table.tokens("lm_head")).containsExactly(2, 4);
        assertThat(table.tokens("other")).isEmpty();
        assertThatThrownBy(() -> config("{\"trainable_token_indices\": [-1]}").tokens("embed_tokens"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "The adapter " + folder
                                + " has the token -1 in trainable_token_indices, which must be ids of tokens; download it again");
    }
}
