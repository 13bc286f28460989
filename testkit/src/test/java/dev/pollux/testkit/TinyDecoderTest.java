package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TinyDecoderTest {

    @TempDir
    Path temp;

    @Test
    void theSameSeedGivesTheSameFiles() {
        TinyDecoder.llama(3).write(temp.resolve("one"));
        TinyDecoder.llama(3).write(temp.resolve("two"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            assertThat(temp.resolve("one").resolve(name))
                    .hasSameBinaryContentAs(temp.resolve("two").resolve(name));
        }
    }

    @Test
    void aTunedModelIsNearTheOneItWasTunedFrom() {
        TinyDecoder.llama(3).write(temp.resolve("base"));
        TinyDecoder.llama(3).tuned(9, 0.01).write(temp.resolve("tuned"));
        try (SafetensorsFile base = SafetensorsFile.open(temp.resolve("base/model.safetensors"));
                SafetensorsFile tuned = SafetensorsFile.open(temp.resolve("tuned/model.safetensors"))) {
            float[] before = base.floats("lm_head.weight");
            float[] after = tuned.floats("lm_head.weight");
            double squares = 0;
            for (int i = 0; i < before.length; i++) {
                squares += Math.pow(after[i] - before[i], 2);
            }
            assertThat(Math.sqrt(squares / before.length)).isBetween(0.009, 0.011);
        }
    }

    @Test
    void theTokenizerHasATokenForEachByte() throws IOException {
        TinyDecoder.writeTokenizer(temp);
        String json = Files.readString(temp.resolve("tokenizer.json"));
        assertThat(json)
                .contains("\"</s>\":2,", "\"A\":" + (4 + 'A'), "\"\u0120\":" + (4 + ' '), "\"\u00ff\":" + (4 + 255))
                .contains("\"\u0143\":" + (4 + 0xad), "\"\u0121\":" + (4 + 0x7f), "\"\u0142\":" + (4 + 0xa0));
    }

    @Test
    void anAdapterHasFactorsForEachLayer() {
        TinyDecoder.llama(1).writeAdapter(temp, 2, 4, List.of("mlp.down_proj"));
        try (SafetensorsFile file = SafetensorsFile.open(temp.resolve("adapter_model.safetensors"))) {
            assertThat(file.tensors()).hasSize(2 * TinyDecoder.LAYERS);
            assertThat(file.info("base_model.model.model.layers.1.mlp.down_proj.lora_A.weight")
                            .shape())
                    .containsExactly(2L, (long) TinyDecoder.INNER);
        }
    }
}
