package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GgufTokenizerTest {

    private static final String G = "tokenizer.ggml.";

    static Stream<String> preTokenizers() {
        return PreTokenizer.names().stream();
    }

    /** Bytes as letters and nothing to merge: whatever the cuts, a text is its bytes and comes back whole. */
    @ParameterizedTest
    @MethodSource("preTokenizers")
    void everyPreTokenizerKeepsEveryByteOfAText(String name) {
        Map<String, Object> metadata = byteLevel();
        metadata.put(G + "pre", name);
        String text = "Don't  stop 12345 times,\r\n\tsaid Ünï 你好 नमस्ते 😀!! \n\n   (ok) «x» end  ";
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            int[] ids = tokenizer.encode(text, false);
            assertThat(ids).hasSize(text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
            assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
        }
    }

    @Test
    void digitsAreCutAsThePreTokenizerSays() {
        assertThat(pieces("llama-bpe", "1234567")).containsExactly("123", "456", "7");
        assertThat(pieces("afmoe", "1234567")).containsExactly("1", "234", "567");
        assertThat(pieces("tiny_aya", "1234567")).containsExactly("1", "234", "567");
        assertThat(pieces("superbpe", "1234567")).containsExactly("1", "234", "567");
        assertThat(pieces("qwen2", "1234567")).containsExactly("1", "2", "3", "4", "5", "6", "7");
        assertThat(pieces("gpt-2", "123")).containsExactly("123");
        assertThat(pieces("smollm", "123")).containsExactly("1", "2", "3");
    }

    /** Digits merge as far as the cuts let them. */
    private static List<String> pieces(String pre, String digits) {
        Map<String, Object> metadata = byteLevel();
        List<String> tokens = new ArrayList<>(stringList(metadata, "tokens"));
        List<String> merges = new ArrayList<>();
        for (int length = 2; length <= digits.length(); length++) {
            for (int at = 0; at + length <= digits.length(); at++) {
                tokens.add(digits.substring(at, at + length));
                merges.add(
                        digits.substring(at, at + length - 1) + " " + digits.substring(at + length - 1, at + length));
            }
        }
        metadata.put(G + "tokens", tokens);
        metadata.put(G + "merges", merges);
        metadata.put(G + "pre", pre);
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            return tokenizer.encodeWithOffsets(digits, false).tokens();
        }
    }

    /** As converters of fine-tunes type them: as a word (1), by the user (4), unused (5), or not at all. */
    @Test
    void aTurnEndIsAControlTokenWhateverItsType() {
        for (long type : new long[] {0, 1, 4, 5}) {
            Map<String, Object> metadata = byteLevel();
            List<String> tokens = new ArrayList<>(stringList(metadata, "tokens"));
            List<Long> types = new ArrayList<>(Collections.nCopies(tokens.size(), 1L));
            for (String token : List.of("<|im_end|>", "<stop>", "<word>")) {
                tokens.add(token);
                types.add(type);
            }
            metadata.put(G + "tokens", tokens);
            metadata.put(G + "eos_token_id", (long) tokens.indexOf("<stop>"));
            if (type > 0) {
                metadata.put(G + "token_type", types);
            }
            try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
                int[] ids = tokenizer.encode("a<|im_end|><stop>b", false);
                assertThat(ids).as("type " + type).hasSize(4);
                assertThat(tokenizer.decode(ids, true)).as("type " + type).isEqualTo("ab");
                assertThat(tokenizer.encode("<word>", false)).as("type " + type).hasSize(type == 4 ? 1 : 6);
            }
        }
    }

    @Test
    void userDefinedTokensDecodeAsTheyAreWritten() {
        Map<String, Object> metadata = byteLevel();
        List<Long> types = new ArrayList<>();
        stringList(metadata, "tokens").forEach(token -> types.add(token.equals("ü") ? 4L : 1L));
        metadata.put(G + "token_type", types);
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.encode("für", false)).hasSize(3);
            assertThat(tokenizer.decode(tokenizer.encode("für", false), true)).isEqualTo("für");
        }
    }

    @Test
    void wordPieceFindsWordsAndTheirParts() {
        Map<String, Object> metadata = new HashMap<>(Map.of(
                G + "model",
                "bert",
                G + "tokens",
                List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁hello", "▁wor", "ld", "▁!"),
                G + "token_type",
                List.of(3L, 2L, 3L, 3L, 1L, 1L, 1L, 1L),
                G + "bos_token_id",
                2L,
                G + "seperator_token_id",
                3L));
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.encode("Hello WORLD! zzz", true)).containsExactly(2, 4, 5, 6, 7, 1, 3);
            assertThat(tokenizer.encodePair("hello", "world", true).ids()).containsExactly(2, 4, 3, 5, 6, 3);
            assertThat(tokenizer.encodePair("hello", "world", true).typeIds()).containsExactly(0, 0, 0, 1, 1, 1);
        }
    }

    @Test
    void unigramTakesTheBestScoredPieces() {
        Map<String, Object> metadata = new HashMap<>(Map.of(
                G + "model", "t5",
                G + "tokens", List.of("<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "ab"),
                G + "scores", List.of(0f, 0f, 0f, -3f, -4f, -4f, -2f, -5f),
                G + "token_type", List.of(3L, 3L, 2L, 1L, 1L, 1L, 1L, 1L),
                G + "eos_token_id", 1L));
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.encode("ab  aab", true)).containsExactly(6, 3, 4, 7, 1);
            assertThat(tokenizer.decode(new int[] {6, 3, 4, 7, 1}, true)).isEqualTo("ab aab");
        }
    }

    @Test
    void wholeTextModelMergesRawCharactersAndFallsBackToBytes() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<bos>", "a", "▁", "▁a"));
        List<Long> types = new ArrayList<>(List.of(2L, 3L, 1L, 1L, 1L));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6L);
        }
        Map<String, Object> metadata = new HashMap<>(Map.of(
                G + "model",
                "gemma4",
                G + "tokens",
                tokens,
                G + "token_type",
                types,
                G + "merges",
                List.of("▁ a"),
                G + "bos_token_id",
                1L));
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            int[] ids = tokenizer.encode("a aé", true);
            assertThat(ids).containsExactly(1, 2, 4, 5 + 0xc3, 5 + 0xa9);
            assertThat(tokenizer.decode(ids, true)).isEqualTo("a aé");
        }
    }

    @Test
    void phi3TokensSwallowTheSpaceBehindThem() {
        Map<String, Object> metadata = byteLevel();
        List<String> tokens = new ArrayList<>(stringList(metadata, "tokens"));
        List<Long> types = new ArrayList<>();
        tokens.forEach(token -> types.add(1L));
        tokens.add("<|user|>");
        types.add(3L);
        metadata.put(G + "tokens", tokens);
        metadata.put(G + "token_type", types);
        metadata.put("general.name", "Phi-3-mini");
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.encode("<|user|>\n a", false)).hasSize(2);
        }
        metadata.put("general.name", "another");
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.encode("<|user|>\n a", false)).hasSize(4);
        }
    }

    @Test
    void emptyTokensGetANameOfTheirOwn() {
        Map<String, Object> metadata = byteLevel();
        List<String> tokens = new ArrayList<>(stringList(metadata, "tokens"));
        tokens.add("");
        tokens.add("");
        metadata.put(G + "tokens", tokens);
        try (Tokenizer tokenizer = Tokenizer.ofGguf("t.gguf", metadata)) {
            assertThat(tokenizer.tokenOf(257)).isEqualTo("[EMPTY_257]");
        }
    }

    @Test
    void whatIsWrongIsSaid() {
        refused(
                Map.of("model", "rwkv"),
                UnsupportedModelException.class,
                "t.gguf: the tokenizer model 'rwkv' is not"
                        + " known, only gpt2, llama, gemma4, whitespace, bert and t5; use the model's folder with its tokenizer.json");
        refused(
                Map.of("pre", "new-one"),
                UnsupportedModelException.class,
                "t.gguf: the pre-tokenizer 'new-one' is not known, only " + PreTokenizer.names()
                        + "; use the model's folder with its tokenizer.json");
        refused(
                Map.of("model", 7L),
                MalformedFileException.class,
                "t.gguf: tokenizer.ggml.model must be a string but" + " was 7; the file has no usable tokenizer");
        refused(
                Map.of("tokens", List.of(1L)),
                MalformedFileException.class,
                "t.gguf: tokenizer.ggml.tokens must be an" + " array of String; the file has no usable tokenizer");
        refused(
                Map.of("tokens", List.of("a", "a")),
                MalformedFileException.class,
                "t.gguf: a token occurs twice in the" + " vocabulary; download the file again");
        refused(
                Map.of("token_type", List.of(1L)),
                MalformedFileException.class,
                "t.gguf: there are 256 tokens but 1" + " token types; download the file again");
        refused(
                Map.of("merges", List.of("ab")),
                MalformedFileException.class,
                "t.gguf: merge 'ab' must be two pieces" + " with a space between; download the file again");
        refused(
                Map.of("add_bos_token", true, "bos_token_id", 256L),
                MalformedFileException.class,
                "t.gguf:"
                        + " tokenizer.ggml.bos_token_id must be a token id in [0, 256) but was 256; download the file again");
        refused(
                Map.of("model", "llama", "scores", List.of(1f)),
                MalformedFileException.class,
                "t.gguf: there are 256" + " tokens but 1 scores; download the file again");
        refused(
                Map.of("model", "bert"),
                MalformedFileException.class,
                "t.gguf: the vocabulary has no unknown token;" + " download the file again");
    }

    private static void refused(Map<String, Object> changes, Class<? extends Exception> error, String message) {
        Map<String, Object> metadata = byteLevel();
        changes.forEach((key, value) -> metadata.put(G + key, value));
        assertThatThrownBy(() -> Tokenizer.ofGguf("t.gguf", metadata))
                .isInstanceOf(error)
                .hasMessage(message);
    }

    private static List<String> stringList(Map<String, Object> metadata, String key) {
        return ((List<?>) metadata.get(G + key))
                .stream().map(String.class::cast).toList();
    }

    /** Model gpt2 with the 256 bytes and no merges. */
    static Map<String, Object> byteLevel() {
        List<String> tokens = new ArrayList<>();
        int hidden = 0;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            tokens.add(String.valueOf((char) (printable ? b : 0x100 + hidden++)));
        }
        return new HashMap<>(
                Map.of(G + "model", "gpt2", G + "pre", "gpt-2", G + "tokens", tokens, G + "merges", List.of()));
    }
}
