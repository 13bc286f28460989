package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.tensor.GgufFile;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Held by {@code golden/gguf-vocab}: the ids that llama.cpp gives for its own test texts. */
final class LlamaCppVocabularyTest {

    @TestFactory
    Stream<DynamicTest> idsEqualThoseOfLlamaCppAndDecodeToTheText() {
        return ReferenceData.cases(
                        ReferenceData.golden("gguf-vocab"),
                        path -> path.toString().endsWith(".gguf"))
                .stream()
                .map(path -> dynamicTest(path.getFileName().toString(), () -> check(path)));
    }

    private static void check(Path gguf) throws IOException {
        List<String> texts = List.of(Files.readString(Path.of(gguf + ".inp")).split("\n__ggml_vocab_test__\n", -1));
        List<String> ids = Files.readString(Path.of(gguf + ".out")).lines().toList();
        try (GgufFile file = GgufFile.open(gguf);
                Tokenizer tokenizer = Tokenizer.ofGguf(gguf.toString(), file.metadata())) {
            assertThat(ids).isNotEmpty();
            // Both normalise a text before they cut it, so it does not come back letter by letter.
            boolean keepsText = !Set.of("bert", "t5").contains(file.metadata().get("tokenizer.ggml.model"));
            SoftAssertions all = new SoftAssertions();
            for (int i = 0; i < ids.size(); i++) {
                String text = texts.get(i);
                int[] wanted = Arrays.stream(ids.get(i).trim().split("\\s+"))
                        .filter(id -> !id.isEmpty())
                        .mapToInt(Integer::parseInt)
                        .toArray();
                all.assertThat(tokenizer.encode(text, false)).as("'%s'", text).isEqualTo(wanted);
                if (keepsText) {
                    all.assertThat(tokenizer.decode(wanted, true)).isEqualTo(text);
                }
            }
            all.assertAll();
        }
    }
}
