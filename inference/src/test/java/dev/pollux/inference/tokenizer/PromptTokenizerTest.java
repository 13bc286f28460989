package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PromptTokenizerTest {

    private static final String TEMPLATE = "{{ '<s>' }}{% for m in messages %}{{ m.content }}{% endfor %}<tool>word";

    /** A letter a token, merges to {@code s>}, {@code <s>} and {@code word}; added: special, a marker, a word, spaces. */
    private static final String JSON = """
            {"version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
             "decoder": null,
             "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
             "added_tokens": [
               {"id": 30, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": true, "normalized": false,
                "special": true},
               {"id": 31, "content": "<tool>", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": false},
               {"id": 32, "content": "<|x|>", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": true, "special": false},
               {"id": 33, "content": "word", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": false},
               {"id": 34, "content": "  ", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true}],
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
               "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
               "vocab": {"<": 0, ">": 1, "s": 2, "|": 3, "x": 4, "t": 5, "o": 6, "l": 7, "w": 8, "r": 9, "d": 10,
                 "\u0120": 11, "a": 12, "s>": 13, "<s>": 30},
               "merges": [["s", ">"], ["<", "s>"]]}}
            """;

    private static BitSet all(String text) {
        BitSet literal = new BitSet();
        literal.set(0, text.length());
        return literal;
    }

    private static BitSet range(String text, String part) {
        BitSet literal = new BitSet();
        int begin = text.indexOf(part);
        literal.set(begin, begin + part.length());
        return literal;
    }

    private static List<Integer> list(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    @Test
    void controlTokensAreFoundOutsideOfLiteralTextOnly() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON);
                PromptTokenizer prompts = PromptTokenizer.of(tokenizer, TEMPLATE, List.of())) {
            String text = "<s>a<s>x<s>";
            assertThat(list(tokenizer.encode(text, false))).containsExactly(30, 12, 30, 4, 30);
            assertThat(list(prompts.encode(text, new BitSet(), false))).containsExactly(30, 12, 30, 4, 30);
            // The merge to <s> is gone with the token, the one to s> stays.
            assertThat(list(prompts.encode(text, range(text, "a<s>x"), false))).containsExactly(30, 12, 0, 13, 4, 30);
            assertThat(list(prompts.encode(text, all(text), false))).doesNotContain(30);
        }
    }

    @Test
    void aNamedSpellingIsAControlTokenThoughTheTemplateLacksIt() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON);
                PromptTokenizer plain = PromptTokenizer.of(tokenizer, "", List.of());
                PromptTokenizer named = PromptTokenizer.of(tokenizer, "", List.of("<tool>", "<absent>"))) {
            assertThat(list(plain.encode("a<tool>", all("a<tool>"), false))).containsExactly(12, 31);
            assertThat(list(named.encode("a<tool>", all("a<tool>"), false))).containsExactly(12, 0, 5, 6, 6, 7, 1);
            assertThat(list(named.encode("a<tool>", new BitSet(), false))).containsExactly(12, 31);
        }
    }

    @Test
    void aSpellingThatIsPartlyLiteralIsText() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON);
                PromptTokenizer prompts = PromptTokenizer.of(tokenizer, TEMPLATE, List.of())) {
            assertThat(list(prompts.encode("<s>", range("<s>", "s"), false))).containsExactly(0, 13);
            assertThat(list(prompts.encode("<s><s>", range("<s><s>", ">"), false)))
                    .containsExactly(0, 13, 30);
        }
    }

    @Test
    void tokensThatTheTemplateWritesOrThatAreSpelledLikeControlTokensAreSuch() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON);
                PromptTokenizer prompts = PromptTokenizer.of(tokenizer, TEMPLATE, List.of());
                PromptTokenizer other = PromptTokenizer.of(tokenizer, "", List.of())) {
            assertThat(list(prompts.encode("<tool>", all("<tool>"), false))).containsExactly(0, 5, 6, 6, 7, 1);
            assertThat(list(other.encode("<tool>", all("<tool>"), false))).containsExactly(31);
            assertThat(list(other.encode("<|x|>", all("<|x|>"), false))).containsExactly(0, 3, 4, 3, 1);
        }
    }

    @Test
    void wordsAndWhitespaceThatWereAddedStayOneToken() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON);
                PromptTokenizer prompts = PromptTokenizer.of(tokenizer, TEMPLATE, List.of())) {
            assertThat(list(prompts.encode("word  <s>", all("word  <s>"), false)))
                    .containsExactly(33, 34, 0, 13);
        }
    }

    @Test
    void aClosedOneSaysSo() {
        try (Tokenizer tokenizer = Tokenizer.ofJson("test", JSON)) {
            PromptTokenizer prompts = PromptTokenizer.of(tokenizer, TEMPLATE, List.of());
            prompts.close();
            prompts.close();
            assertThatThrownBy(() -> prompts.encode("<s>", all("<s>"), false))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The tokenizer is closed; open it again");
        }
    }

    @TestFactory
    Stream<DynamicTest> bothWaysGiveTheTokensOfTheTokenizerWhereNothingIsLiteral() {
        return perFolder((tokenizer, prompts, text) -> {
            for (boolean special : new boolean[] {false, true}) {
                assertThat(prompts.encodeDisguised(text, new BitSet(), special))
                        .as(text)
                        .isEqualTo(tokenizer.encode(text, special));
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> literalTextWithoutSpellingsGetsTheTokensItHadBetweenControlTokens() {
        return perFolder((tokenizer, prompts, text) -> {
            if (tokenizer.addedTokens().stream().anyMatch(token -> text.contains(token.content()))) {
                return;
            }
            String open = tokenizer.addedTokens().isEmpty()
                    ? ""
                    : tokenizer.addedTokens().get(0).content();
            String prompt = open + "user\n" + text + open + "\nassistant";
            BitSet literal = new BitSet();
            int begin = open.length() + "user\n".length();
            literal.set(begin, begin + text.length());
            int[] expected = tokenizer.encode(prompt, false);
            assertThat(prompts.encode(prompt, literal, false)).as(text).isEqualTo(expected);
            assertThat(prompts.encodeDisguised(prompt, literal, false)).as(text).isEqualTo(expected);
        });
    }

    @TestFactory
    Stream<DynamicTest> noSpellingOfASpecialTokenInLiteralTextGivesTheToken() {
        return perFolder((tokenizer, prompts, text) -> {
            for (Tokenizer.AddedToken token : tokenizer.addedTokens()) {
                if (!token.special()
                        || token.content().codePointCount(0, token.content().length()) < 2
                        || IntStream.of(tokenizer.encode(text, false)).anyMatch(id -> id == token.id())) {
                    continue;
                }
                String hostile = text + token.content() + " " + token.content();
                int[] ids = prompts.encode(hostile, all(hostile), false);
                boolean unknown =
                        token.content().toLowerCase(java.util.Locale.ROOT).contains("unk");
                assertThat(IntStream.of(ids).anyMatch(id -> id == token.id() && !unknown))
                        .as(hostile)
                        .isFalse();
            }
        });
    }

    private interface Check {
        void run(Tokenizer tokenizer, PromptTokenizer prompts, String text);
    }

    private static Stream<DynamicTest> perFolder(Check check) {
        Path set = ReferenceData.golden("tokenizer");
        return ReferenceData.cases(set, path -> Files.isRegularFile(path.resolve("cases.json"))).stream()
                .map(folder -> dynamicTest(folder.getFileName().toString(), () -> {
                    try (Tokenizer tokenizer = Tokenizer.open(folder.resolve("tokenizer.json"));
                            PromptTokenizer prompts = PromptTokenizer.of(tokenizer, "", List.of())) {
                        for (JsonNode c : json(folder.resolve("cases.json")).path("cases")) {
                            check.run(tokenizer, prompts, c.path("text").asString());
                        }
                    }
                }));
    }

    private static JsonNode json(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
