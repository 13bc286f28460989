package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.GgufFile;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Held by {@code golden/tokenizer}: a folder is a tokenizer with its cases. */
final class TokenizerGoldenTest {

    @TestFactory
    Stream<DynamicTest> textsEncodeAndDecodeAsTheReference() {
        return perFolder("cases", TokenizerGoldenTest::checkText);
    }

    @TestFactory
    Stream<DynamicTest> aSentencePieceModelAloneEncodesAsTheReference() {
        Path set = ReferenceData.golden("tokenizer");
        return ReferenceData.cases(set, path -> Files.isRegularFile(path.resolve("tokenizer.model"))).stream()
                .map(folder -> dynamicTest(folder.getFileName() + " tokenizer.model", () -> {
                    try (Tokenizer tokenizer =
                            Tokenizer.ofSentencePiece(folder.resolve("tokenizer.model"), java.util.Map.of())) {
                        runAll(
                                tokenizer,
                                json(folder.resolve("cases.json")).path("cases"),
                                TokenizerGoldenTest::checkText);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> idsThatNoTextGivesDecodeAsTheReference() {
        return perFolder("decode_cases", (tokenizer, c) -> checkDecoding(tokenizer, ints(c.path("ids")), c));
    }

    @TestFactory
    Stream<DynamicTest> pairsEncodeAsTheReference() {
        return perFolder("pair_cases", TokenizerGoldenTest::checkPair);
    }

    @TestFactory
    Stream<DynamicTest> longTextsAreNeitherTruncatedNorPadded() {
        return perFolder("truncation_case", (tokenizer, c) -> {
            int[] ids = tokenizer.encode(c.path("text").asString(), true);
            assertThat(ids.length).isGreaterThan(c.path("max_length").asInt());
        });
    }

    private interface Check {
        void run(Tokenizer tokenizer, JsonNode c);
    }

    private static Stream<DynamicTest> perFolder(String kind, Check check) {
        Path set = ReferenceData.golden("tokenizer");
        return ReferenceData.cases(set, path -> Files.isRegularFile(path.resolve("cases.json"))).stream()
                .filter(folder -> !json(folder.resolve("cases.json")).path(kind).isMissingNode())
                .map(folder -> dynamicTest(folder.getFileName() + " " + kind, () -> {
                    try (Tokenizer tokenizer = Tokenizer.open(folder.resolve("tokenizer.json"))) {
                        JsonNode cases = json(folder.resolve("cases.json")).path(kind);
                        assertThat(cases.isEmpty()).isFalse();
                        runAll(tokenizer, cases, check);
                    }
                }));
    }

    private static void runAll(Tokenizer tokenizer, JsonNode cases, Check check) {
        if (!cases.isArray()) {
            check.run(tokenizer, cases);
            return;
        }
        List<Throwable> failures = new ArrayList<>();
        for (JsonNode c : cases) {
            try {
                check.run(tokenizer, c);
            } catch (AssertionError e) {
                failures.add(e);
            }
        }
        AssertionError all = new AssertionError(failures.size() + " of " + cases.size() + " cases differ");
        failures.forEach(all::addSuppressed);
        if (!failures.isEmpty()) {
            throw all;
        }
    }

    private static void checkText(Tokenizer tokenizer, JsonNode c) {
        String text = c.path("text").asString();
        Encoding encoding = tokenizer.encodeWithOffsets(text, true);
        assertThat(encoding.ids()).as("ids of '%s'", text).isEqualTo(ints(c.path("ids")));
        assertThat(tokenizer.encode(text, true)).isEqualTo(encoding.ids());
        assertThat(offsets(encoding)).as("offsets of '%s'", text).isEqualTo(pairs(c.path("offsets")));
        assertThat(encoding.tokens())
                .isEqualTo(
                        c.path("tokens").valueStream().map(JsonNode::asString).toList());
        int[] plain =
                c.path("ids_without_special").isMissingNode() ? encoding.ids() : ints(c.path("ids_without_special"));
        assertThat(tokenizer.encode(text, false)).as("plain ids of '%s'", text).isEqualTo(plain);
        assertThat(tokenizer.decode(encoding.ids(), true))
                .as("decoded '%s'", text)
                .isEqualTo(c.path("decoded").asString());
        assertThat(tokenizer.decode(encoding.ids(), false))
                .as("decoded with special '%s'", text)
                .isEqualTo(c.path("decoded_with_special")
                        .asString(c.path("decoded").asString()));
        checkStream(tokenizer, plain, c);
    }

    private static void checkDecoding(Tokenizer tokenizer, int[] ids, JsonNode c) {
        assertThat(tokenizer.decode(ids, true)).isEqualTo(c.path("decoded").asString());
        assertThat(tokenizer.decode(ids, false))
                .isEqualTo(c.path("decoded_with_special")
                        .asString(c.path("decoded").asString()));
        checkStream(tokenizer, ids, c);
    }

    private static void checkStream(Tokenizer tokenizer, int[] ids, JsonNode c) {
        TokenDecoder decoder = tokenizer.streamDecoder(true);
        StringBuilder all = new StringBuilder();
        List<String> pieces = new ArrayList<>();
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            String piece = decoder.next(ids[i]);
            pieces.add(piece);
            wanted.add(c.path("stream").path(i).asString(""));
            all.append(piece);
        }
        assertThat(pieces).as("stream of %s", c).isEqualTo(wanted);
        all.append(decoder.flush());
        assertThat(all).as("all pieces of %s", c).hasToString(c.path("decoded").asString());
    }

    private static void checkPair(Tokenizer tokenizer, JsonNode c) {
        Encoding encoding =
                tokenizer.encodePair(c.path("text").asString(), c.path("pair").asString(), true);
        assertThat(encoding.ids()).isEqualTo(ints(c.path("ids")));
        assertThat(encoding.typeIds()).isEqualTo(ints(c.path("type_ids")));
        assertThat(offsets(encoding)).isEqualTo(pairs(c.path("offsets")));
        for (int i = 0; i < encoding.size(); i++) {
            assertThat(encoding.sequences()[i])
                    .isEqualTo(c.path("sequence_ids").path(i).asInt(-1));
        }
    }

    /** The encodings of a folder hold for the GGUF file that was made from it, by its vocabulary. */
    @TestFactory
    Stream<DynamicTest> tokenizersOfGgufFilesEncodeAsTheFolderTheyWereMadeFrom() {
        Path set = ReferenceData.golden("tokenizer");
        List<Path> folders = ReferenceData.cases(set, path -> Files.isRegularFile(path.resolve("cases.json")));
        return ReferenceData.cases(set.resolve("gguf"), path -> path.toString().endsWith(".gguf")).stream()
                .map(path -> dynamicTest(path.getFileName().toString(), () -> {
                    try (GgufFile file = GgufFile.open(path);
                            Tokenizer rebuilt = Tokenizer.ofGguf(path.toString(), file.metadata())) {
                        checkAgainst(rebuilt, folders);
                    }
                }));
    }

    private static void checkAgainst(Tokenizer rebuilt, List<Path> folders) {
        int compared = 0;
        for (Path folder : folders) {
            try (Tokenizer source = Tokenizer.open(folder.resolve("tokenizer.json"))) {
                if (!sameVocabulary(rebuilt, source)) {
                    continue;
                }
            }
            compared++;
            JsonNode cases = json(folder.resolve("cases.json"));
            runAll(rebuilt, cases.path("cases"), TokenizerGoldenTest::checkText);
            runAll(rebuilt, cases.path("decode_cases"), (t, c) -> checkDecoding(t, ints(c.path("ids")), c));
        }
        assertThat(compared).as("folders with the vocabulary of the file").isPositive();
    }

    private static boolean sameVocabulary(Tokenizer a, Tokenizer b) {
        if (a.vocabularySize() != b.vocabularySize()) {
            return false;
        }
        for (int id = 0; id < a.vocabularySize(); id++) {
            if (!a.tokenOf(id).equals(b.tokenOf(id))) {
                return false;
            }
        }
        return true;
    }

    @TestFactory
    Stream<DynamicTest> promptsAndChatTextsOfGgufModelsEncodeAsTheReference() {
        Path set = ReferenceData.golden("tokenizer").resolve("gguf");
        return ReferenceData.cases(set, path -> path.toString().endsWith(".json")).stream()
                .flatMap(path -> {
                    JsonNode root = json(path);
                    return root.path("models")
                            .valueStream()
                            .map(model -> dynamicTest(
                                    path.getFileName() + " "
                                            + model.path("file").asString(),
                                    () -> {
                                        Path gguf =
                                                set.resolve(model.path("file").asString());
                                        try (GgufFile file = GgufFile.open(gguf);
                                                Tokenizer tokenizer =
                                                        Tokenizer.ofGguf(gguf.toString(), file.metadata())) {
                                            checkPrompts(tokenizer, model.path("prompts"));
                                            for (JsonNode chat : root.path("chat_cases")) {
                                                assertThat(tokenizer.encode(
                                                                chat.path("text")
                                                                        .asString(),
                                                                false))
                                                        .isEqualTo(ints(chat.path("ids")));
                                            }
                                        }
                                    }));
                });
    }

    private static void checkPrompts(Tokenizer tokenizer, JsonNode prompts) {
        assertThat(prompts.isEmpty()).isFalse();
        for (JsonNode prompt : prompts) {
            assertThat(tokenizer.encode(prompt.path("text").asString(), true)).isEqualTo(ints(prompt.path("ids")));
            assertThat(tokenizer.decode(ints(prompt.path("greedy_ids")), true))
                    .isEqualTo(prompt.path("greedy_text").asString());
        }
    }

    private static List<List<Integer>> offsets(Encoding encoding) {
        List<List<Integer>> offsets = new ArrayList<>();
        for (int i = 0; i < encoding.size(); i++) {
            offsets.add(List.of(encoding.starts()[i], encoding.ends()[i]));
        }
        return offsets;
    }

    private static List<List<Integer>> pairs(JsonNode node) {
        return node.valueStream()
                .map(pair -> List.of(pair.path(0).asInt(), pair.path(1).asInt()))
                .toList();
    }

    private static int[] ints(JsonNode node) {
        return node.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static JsonNode json(Path path) {
        try {
            return JsonNode.parse(Files.readString(path));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
