package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Vocabularies of tiktoken: small ones made here, and reference vocabularies written in that form. */
@NoLeaks
class TiktokenTest {

    @TempDir
    Path temp;

    @Test
    void pairsOfTheLowestRankAreMergedFirst() throws IOException {
        Path file = vocabulary("bc", "ab", "abc", " a", "zzzz", "ü");
        try (Tokenizer tokenizer = Tokenizer.ofTiktoken(file, "cl100k_base", Map.of("<|end|>", 300))) {
            assertThat(tokenizer.encode("abcd abc", true)).containsExactly(258, 'd', ' ', 258);
            assertThat(tokenizer.encode("abc", true))
                    .as("whole pieces need no merges")
                    .containsExactly(258);
            assertThat(tokenizer.encode("zzzz", true)).containsExactly(260);
            assertThat(tokenizer.encode("ü<|end|>é", true)).containsExactly(261, 300, 0xc3, 0xa9);
            assertThat(tokenizer.decode(new int[] {259, 256, 300, 0xc3, 0xa9}, true))
                    .isEqualTo(" abcé");
            assertThat(tokenizer.vocabularySize()).isEqualTo(301);
            assertThat(tokenizer.idOf("<|end|>")).hasValue(300);
        }
    }

    @Test
    void encodingsCutNumbersApart() throws IOException {
        Path file = vocabulary("12", "123", "1234", "34");
        int[] whole = {258};
        int[] threes = {257, '4'};
        int[] digits = {'1', '2', '3', '4'};
        for (Map.Entry<String, int[]> due :
                Map.of("cl100k_base", threes, "qwen", digits, "gpt2", whole).entrySet()) {
            try (Tokenizer tokenizer = Tokenizer.ofTiktoken(file, due.getKey(), Map.of("<|end|>", 300))) {
                assertThat(tokenizer.encode("1234", true)).as(due.getKey()).isEqualTo(due.getValue());
            }
        }
    }

    @Test
    void llama3BeginsATextAndHasItsSpecialTokens() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.ofTiktoken(vocabulary("ab"), "llama3", Map.of())) {
            assertThat(tokenizer.encode("ab<|eot_id|>", true)).containsExactly(128_000, 256, 128_009);
            assertThat(tokenizer.encode("ab", false)).containsExactly(256);
            assertThat(tokenizer.idOf("<|end_header_id|>")).hasValue(128_007);
        }
    }

    /** Held by {@code golden/tokenizer}; the ids of python's tiktoken were compared once. */
    @TestFactory
    Stream<DynamicTest> aReferenceVocabularyGivesTheReferenceIds() {
        return ReferenceData.cases(ReferenceData.golden("tokenizer"), Files::isDirectory).stream()
                .filter(folder -> encoding(folder).isPresent())
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> compare(folder)));
    }

    /** The encoding that cuts texts as a byte-level vocabulary does; none for vocabularies of other kinds. */
    private static Optional<String> encoding(Path folder) {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            JsonNode json = JsonNode.parse(Files.readString(file));
            JsonNode before = json.path("pre_tokenizer");
            if (!json.path("model").path("type").asString("").equals("BPE")) {
                return Optional.empty();
            }
            String pattern = before.path("pretokenizers")
                    .path(0)
                    .path("pattern")
                    .path("Regex")
                    .asString("");
            if (pattern.contains("\\p{N}{1,3}")) {
                return Optional.of("llama3");
            }
            boolean gpt2 = before.path("type").asString("").equals("ByteLevel")
                    && before.path("use_regex").asBoolean(true);
            return gpt2 ? Optional.of("gpt2") : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void compare(Path folder) throws IOException {
        JsonNode json = JsonNode.parse(Files.readString(folder.resolve("tokenizer.json")));
        Map<String, Integer> special = new HashMap<>();
        json.path("added_tokens")
                .forEach(token -> special.put(
                        token.path("content").asString(), token.path("id").asInt()));
        List<String> lines = new ArrayList<>();
        json.path("model").path("vocab").properties().forEach(entry -> {
            if (!special.containsKey(entry.getKey())) {
                lines.add(line(bytes(entry.getKey()), entry.getValue().asInt()));
            }
        });
        Path file = Files.write(temp.resolve("tokenizer.model"), lines);
        String encoding = encoding(folder).orElseThrow();
        List<String> texts = texts(JsonNode.parse(Files.readString(folder.resolve("cases.json"))));
        assertThat(texts).hasSizeGreaterThan(5);
        try (Tokenizer due = Tokenizer.open(folder.resolve("tokenizer.json"));
                Tokenizer tokenizer = Tokenizer.ofTiktoken(file, encoding, special)) {
            for (String text : texts) {
                if (trims(json, text)) {
                    continue;
                }
                assertThat(tokenizer.encode(text, false)).as(text).isEqualTo(due.encode(text, false));
            }
        }
    }

    /** Tiktoken has no special tokens that look at what stands beside them. */
    private static boolean trims(JsonNode json, String text) {
        return json.path("added_tokens")
                .valueStream()
                .anyMatch(token -> text.contains(token.path("content").asString())
                        && (token.path("lstrip").asBoolean()
                                || token.path("rstrip").asBoolean()
                                || token.path("single_word").asBoolean()));
    }

    private static List<String> texts(JsonNode node) {
        List<String> texts = new ArrayList<>();
        if (node.path("text").isString()) {
            texts.add(node.path("text").asString());
        }
        node.forEach(child -> texts.addAll(texts(child)));
        return texts;
    }

    @Test
    void damagedFilesAreNamedByLine() throws IOException {
        refused("YQ== 0\nYg== x\n", "line 2 must be base64, a space, and a rank below 1048576");
        refused("YQ== 0\nYg==\n", "line 2 must be base64, a space, and a rank below 1048576");
        refused("YQ== 0\nYg==  1\n", "line 2 must be base64, a space, and a rank below 1048576");
        refused("YQ== 0\nYQ== 1\n", "line 2 holds a token that another line holds too");
        refused("YQ== 0\nYg== 0\n", "two tokens have the rank 0");
        refused("YQ== 0\n!!!! 1\n", "line 2 is not base64: Illegal base64 character 21");
        refused("", "it is empty");
    }

    @Test
    void anUnknownEncodingIsRefused() throws IOException {
        Path file = vocabulary();
        assertThatThrownBy(() -> Tokenizer.ofTiktoken(file, "x", Map.of()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(file + ": how the encoding 'x' cuts text is not known, only "
                        + Tokenizer.tiktokenEncodings() + "; use the model's tokenizer.json");
    }

    @Test
    void filesOfThisFormAreTold() throws IOException {
        assertThat(Tokenizer.isTiktoken(vocabulary("ab"))).isTrue();
        assertThat(Tokenizer.isTiktoken(Files.writeString(temp.resolve("a"), "\n\u000e\n\u0005<unk>")))
                .isFalse();
        assertThat(Tokenizer.isTiktoken(Files.writeString(temp.resolve("b"), "")))
                .isFalse();
    }

    private void refused(String content, String why) throws IOException {
        Path file = Files.writeString(temp.resolve("damaged.tiktoken"), content);
        assertThatThrownBy(() -> Tokenizer.ofTiktoken(file, "gpt2", Map.of()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not a vocabulary of tiktoken: " + why);
    }

    /** All single bytes, then these. */
    private Path vocabulary(String... tokens) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            lines.add(line(new byte[] {(byte) value}, value));
        }
        for (int i = 0; i < tokens.length; i++) {
            lines.add(line(tokens[i].getBytes(StandardCharsets.UTF_8), 256 + i));
        }
        return Files.write(temp.resolve("v.tiktoken"), lines);
    }

    private static String line(byte[] token, int rank) {
        return Base64.getEncoder().encodeToString(token) + " " + rank;
    }

    /** The bytes that the letters of byte-level BPE stand for. */
    private static byte[] bytes(String letters) {
        byte[] bytes = new byte[letters.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) value(letters.charAt(i));
        }
        return bytes;
    }

    private static int value(char letter) {
        int hidden = letter - 0x100;
        for (int value = 0; hidden >= 0; value++) {
            boolean printable = value >= '!' && value <= '~' || value >= 0xa1 && value != 0xad;
            if (!printable && hidden-- == 0) {
                return value;
            }
        }
        return letter;
    }
}
