package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.GgufWriter;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tokenizer that is written to a GGUF file and read back gives the same tokens. */
@NoLeaks
class GgufVocabularyTest {

    @TempDir
    Path folder;

    private Tokenizer readBack(GgufVocabulary vocabulary) {
        Path path = folder.resolve("vocabulary.gguf");
        try (GgufWriter writer = GgufWriter.create(path, vocabulary.values(), List.of())) {
            writer.finish();
        }
        try (GgufFile file = GgufFile.open(path)) {
            return Tokenizer.ofGguf(path.toString(), file.metadata());
        }
    }

    @Test
    void referenceTextsHaveTheSameTokens() throws Exception {
        for (String name : List.of("bpe-gpt2", "bpe-llama3", "bpe-spm")) {
            Path golden = ReferenceData.golden("tokenizer").resolve(name);
            try (Tokenizer tokenizer = Tokenizer.open(golden.resolve("tokenizer.json"));
                    Tokenizer back = readBack(GgufVocabulary.of(tokenizer, tokenizer.vocabularySize() + 3))) {
                assertThat(back.vocabularySize()).isEqualTo(tokenizer.vocabularySize() + 3);
                List<String> particular = particular(tokenizer);
                for (String text : texts(golden.resolve("cases.json"))) {
                    if (particular.stream().anyMatch(text::contains)) {
                        continue; // the format has no such rules, which a notice says
                    }
                    int[] ids = tokenizer.encode(text, false);
                    assertThat(back.encode(text, false))
                            .as("%s: %s", name, text)
                            .containsExactly(ids);
                    assertThat(back.decode(ids, false))
                            .as("%s: %s", name, text)
                            .isEqualTo(tokenizer.decode(ids, false));
                }
            }
            Files.delete(folder.resolve("vocabulary.gguf"));
        }
    }

    /** Added tokens that take spaces or match whole words only. */
    private static List<String> particular(Tokenizer tokenizer) {
        return JsonNode.parse(tokenizer.toJson())
                .path("added_tokens")
                .valueStream()
                .filter(token -> Stream.of("lstrip", "rstrip", "single_word")
                        .anyMatch(rule -> token.path(rule).asBoolean(false)))
                .map(token -> token.path("content").asString(""))
                .toList();
    }

    private static List<String> texts(Path cases) {
        Optional<JsonNode> json = JsonFile.read(cases);
        return json.stream()
                .flatMap(root -> Stream.concat(
                        root.path("cases").valueStream(), root.path("texts").valueStream()))
                .map(one -> one.path("text").asString(""))
                .toList();
    }

    private static Tokenizer of(String json) {
        return Tokenizer.ofJson("test", json);
    }

    @Test
    void tokenizersWithoutAnEquivalentAreRefused() {
        String rule =
                " has no equivalent that llama.cpp knows; only byte-level BPE with a known pre-tokenizer and BPE with"
                        + " bytes as fallback have one";
        try (Tokenizer pieces =
                of("{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"[UNK]\": 0}, \"unk_token\": \"[UNK]\","
                        + " \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 9}}")) {
            assertThatThrownBy(() -> GgufVocabulary.of(pieces, 1))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("The tokenizer cannot be written to a GGUF file: the model 'WordPiece'" + rule);
        }
        String bpe =
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": []}, \"pre_tokenizer\":"
                        + " {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"x\"},"
                        + " \"behavior\": \"Isolated\", \"invert\": false}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false,"
                        + " \"trim_offsets\": true, \"use_regex\": false}]}}";
        try (Tokenizer unknown = of(bpe)) {
            assertThatThrownBy(() -> GgufVocabulary.of(unknown, 2))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("The tokenizer cannot be written to a GGUF file: the pre-tokenizer [x]" + rule);
            assertThatThrownBy(() -> GgufVocabulary.of(unknown, 1))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(
                            "The token 'b' must have an id in [0, 1), the rows of the embedding, but has 1; give the"
                                    + " model more rows first");
        }
    }
}
