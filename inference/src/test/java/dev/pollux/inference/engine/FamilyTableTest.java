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

/**
 * The table of families, formats and checks in the documents is the one that the code gives. A family is checked by the tiny
 * models of {@link FormulaModel}, or else by the reference data {@code decoder}, whose packed forms are checked as well.
 */
class FamilyTableTest {

    private static final Path DOCUMENT = Path.of("../docs/models.md");
    private static final Path TABLE = Path.of("target/families.md");

    @Test
    void theDocumentListsEveryFamilyWithItsFormatsAndChecks() throws IOException {
        Set<String> tested = new HashSet<>(Set.of("llama LlamaForCausalLM")); // by RealModelGoldenTest
        tested.addAll(GgufFamiliesTest.held());
        tested.addAll(GgufMixersTest.held());
        Set<String> tiny = new HashSet<>();
        for (String name : FormulaModel.names()) {
            tiny.add(FormulaModel.read(name).architecture());
        }
        assertThat(DecoderExport.architectures()).containsAll(tiny);
        StringBuilder table = new StringBuilder(
                "| `architectures` | Hugging Face folder | packed folder | GGUF |\n|---|---|---|---|\n");
        for (String architecture : DecoderExport.architectures()) {
            List<String> gguf = Checkpoint.ggufArchitectures().entrySet().stream()
                    .filter(entry -> entry.getValue().contains(architecture))
                    .map(entry -> "`" + entry.getKey() + "` "
                            + (tested.contains(entry.getKey() + " " + architecture) ? "logits" : "once"))
                    .toList();
            table.append("| `").append(architecture).append("` | logits | ");
            table.append(tiny.contains(architecture) ? "not checked" : packed(architecture));
            table.append(" | ");
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
