package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table of families in the documents is the one that the code gives. */
class FamilyTableTest {

    private static final Path DOCUMENT = Path.of("../docs/models.md");
    private static final Path TABLE = Path.of("target/families.md");

    @Test
    void theDocumentListsEveryFamilyWithItsFormats() throws IOException {
        StringBuilder table = new StringBuilder("| `architectures` | GGUF |\n|---|---|\n");
        for (String architecture : DecoderExport.architectures()) {
            List<String> gguf = Checkpoint.ggufArchitectures().entrySet().stream()
                    .filter(entry -> entry.getValue().contains(architecture))
                    .map(entry -> "`" + entry.getKey() + "`")
                    .toList();
            table.append("| `")
                    .append(architecture)
                    .append("` | ")
                    .append(gguf.isEmpty() ? "–" : String.join(", ", gguf));
            table.append(" |\n");
        }
        Files.createDirectories(TABLE.getParent());
        Files.writeString(TABLE, table);
        assertThat(Files.readString(DOCUMENT))
                .as("%s must hold the table that is in inference/%s", DOCUMENT, TABLE)
                .contains(table);
    }
}
