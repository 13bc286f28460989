package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The table of families, formats and checks in the documents is the one that the code gives. */
class FamilyTableTest {

    private static final Path DOCUMENT = Path.of("../docs/models.md");
    private static final Path TABLE = Path.of("target/families.md");

    /** Without reference logits: compared once, in every format, with transformers and llama.cpp's converter. */
    private static final Set<String> COMPARED_ONCE = Set.of(
            "ArceeForCausalLM",
            "BambaForCausalLM",
            "Cohere2ForCausalLM",
            "DeepseekV2ForCausalLM",
            "Ernie4_5ForCausalLM",
            "Exaone4ForCausalLM",
            "FalconH1ForCausalLM",
            "FalconMambaForCausalLM",
            "GemmaForCausalLM",
            "GlmForCausalLM",
            "OlmoeForCausalLM",
            "Qwen2MoeForCausalLM",
            "Qwen3NextForCausalLM",
            "SeedOssForCausalLM",
            "Starcoder2ForCausalLM");

    @Test
    void theDocumentListsEveryFamilyWithItsFormatsAndChecks() throws IOException {
        Set<String> tested = new HashSet<>(Set.of("llama LlamaForCausalLM")); // by RealModelGoldenTest
        tested.addAll(GgufFamiliesTest.held());
        tested.addAll(GgufMixersTest.held());
        assertThat(DecoderExport.architectures()).containsAll(COMPARED_ONCE);
        StringBuilder table = new StringBuilder(
                "| `architectures` | Hugging Face folder | packed folder | GGUF |\n|---|---|---|---|\n");
        for (String architecture : DecoderExport.architectures()) {
            boolean held = !COMPARED_ONCE.contains(architecture);
            List<String> gguf = Checkpoint.ggufArchitectures().entrySet().stream()
                    .filter(entry -> entry.getValue().contains(architecture))
                    .map(entry -> "`" + entry.getKey() + "` "
                            + (held && tested.contains(entry.getKey() + " " + architecture) ? "logits" : "once"))
                    .toList();
            table.append("| `").append(architecture).append("` | ");
            table.append(held ? "logits" : "once").append(" | ");
            table.append(held ? packed(architecture) : "not checked").append(" | ");
            table.append(gguf.isEmpty() ? "–" : String.join(", ", gguf)).append(" |\n");
        }
        Files.createDirectories(TABLE.getParent());
        Files.writeString(TABLE, table);
        assertThat(Files.readString(DOCUMENT))
                .as("%s must hold the table that is in inference/%s", DOCUMENT, TABLE)
                .contains(table);
    }

    /** GPT-2 stores its matrices turned, which the packed formats do not. */
    private static String packed(String architecture) {
        return architecture.equals("GPT2LMHeadModel") ? "–" : "to the bit";
    }
}
