package dev.pollux.inference.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.OpenHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TokenizerTest {

    @Test
    void loneSurrogatesAreReadAsReplacementCharacters() {
        try (Tokenizer tokenizer = bytes()) {
            assertThat(tokenizer.encode("a\uD83D b\uDE00", false))
                    .isEqualTo(tokenizer.encode("a\uFFFD b\uFFFD", false));
            assertThat(tokenizer.encode("\uDE00\uD83D", false)).isEqualTo(tokenizer.encode("\uFFFD\uFFFD", false));
            assertThat(tokenizer.decode(tokenizer.encode("\uD83D\uDE00\0!", false), false))
                    .isEqualTo("\uD83D\uDE00\0!");
        }
    }

    @Test
    void aByteOrderMarkBeforeTheJsonIsPassedOver(@TempDir Path folder) throws Exception {
        try (Tokenizer plain = bytes()) {
            Path file = Files.writeString(folder.resolve("tokenizer.json"), "\uFEFF" + plain.toJson());
            try (Tokenizer marked = Tokenizer.open(file)) {
                assertThat(marked.encode("a b", false)).isEqualTo(plain.encode("a b", false));
            }
        }
    }

    @Test
    void offsetsCountCodePoints() {
        try (Tokenizer tokenizer = bytes()) {
            Encoding encoding = tokenizer.encodeWithOffsets("😀a", false);
            assertThat(encoding.starts()).containsExactly(0, 0, 0, 0, 1);
            assertThat(encoding.ends()).containsExactly(1, 1, 1, 1, 2);
            assertThat(encoding.sequences()).containsExactly(0, 0, 0, 0, 0);
        }
    }

    @Test
    void idsOutsideTheVocabularyDecodeToNothingAndNegativeOnesAreRefused() {
        try (Tokenizer tokenizer = bytes()) {
            assertThat(tokenizer.decode(new int[] {'a' - '!', 9_999_999}, false))
                    .isEqualTo(tokenizer.decode(new int[] {'a' - '!'}, false));
            assertThatThrownBy(() -> tokenizer.decode(new int[] {3, -1}, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("token ids must be at least 0 but one was -1");
            assertThatThrownBy(() -> tokenizer.tokenOf(256))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("id must be in [0, 256) but was 256");
        }
    }

    @Test
    void useAfterCloseIsRefusedAndCloseIsIdempotent() {
        int before = OpenHandle.open().size();
        Tokenizer tokenizer = bytes();
        assertThat(OpenHandle.open()).hasSize(before + 1);
        tokenizer.close();
        tokenizer.close();
        assertThat(OpenHandle.open()).hasSize(before);
        assertThatThrownBy(() -> tokenizer.encode("a", true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The tokenizer is closed; open it again");
        assertThatThrownBy(() -> tokenizer.decode(new int[0], true)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void closingWhileOthersEncodeLetsThemFinishOrRefusesThem() throws Exception {
        String text = "some text to be read ".repeat(200);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 20; round++) {
                Tokenizer tokenizer = bytes();
                int[] expected = tokenizer.encode(text, false);
                List<Future<Integer>> readers = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    readers.add(threads.submit(() -> {
                        for (int n = 0; ; n++) {
                            assertThat(tokenizer.encode(text, false)).isEqualTo(expected);
                        }
                    }));
                }
                Thread.sleep(2);
                tokenizer.close();
                for (Future<Integer> reader : readers) {
                    assertThatThrownBy(reader::get)
                            .isInstanceOf(ExecutionException.class)
                            .hasCauseInstanceOf(IllegalStateException.class);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void truncationAndPaddingOfTheFileAreSwitchedOff() {
        String json;
        try (Tokenizer tokenizer = bytes()) {
            json = tokenizer
                    .toJson()
                    .replace(
                            "\"truncation\":null",
                            "\"truncation\":{\"direction\":\"Right\",\"max_length\":2,\"strategy\":\"LongestFirst\","
                                    + "\"stride\":0}")
                    .replace(
                            "\"padding\":null",
                            "\"padding\":{\"strategy\":{\"Fixed\":8},\"direction\":\"Right\",\"pad_to_multiple_of\":null,"
                                    + "\"pad_id\":0,\"pad_type_id\":0,\"pad_token\":\"!\"}");
        }
        assertThat(json).contains("max_length").contains("pad_token");
        try (Tokenizer tokenizer = Tokenizer.ofJson("t", json)) {
            assertThat(tokenizer.encode("abcd", false)).hasSize(4);
            assertThat(tokenizer.encodePair("abcd", "efgh", false).ids()).hasSize(8);
        }
    }

    @Test
    void aStreamOfArbitraryTokensCostsTheSameHoweverLongAndLosesNothing() {
        long seed = 20_261_125;
        Random random = new Random(seed);
        try (Tokenizer tokenizer = bytes()) {
            TokenDecoder decoder = tokenizer.streamDecoder(true);
            int[] ids = random.ints(20_000, 0, 256).toArray();
            StringBuilder all = new StringBuilder();
            for (int id : ids) {
                all.append(decoder.next(id));
            }
            assertThat(all.append(decoder.flush())).as("seed %d", seed).hasToString(tokenizer.decode(ids, true));
        }
    }

    @Test
    void aStreamGivesACharacterWithItsLastByte() {
        try (Tokenizer tokenizer = bytes()) {
            TokenDecoder decoder = tokenizer.streamDecoder(true);
            List<String> pieces = new ArrayList<>();
            for (int id : tokenizer.encode("é€😀", false)) {
                pieces.add(decoder.next(id));
            }
            assertThat(pieces).containsExactly("", "é", "", "", "€", "", "", "", "😀");
            decoder.next(tokenizer.encode("é", false)[0]);
            assertThat(decoder.flush()).isEqualTo("\uFFFD");
            assertThat(decoder.flush()).isEmpty();
        }
    }

    @Test
    void endlessInvalidBytesAreGivenOutInPieces() {
        try (Tokenizer tokenizer = bytes()) {
            TokenDecoder decoder = tokenizer.streamDecoder(true);
            int bad = tokenizer.idOf("ÿ").orElseThrow();
            int given = 0;
            for (int i = 0; i < 10_000; i++) {
                given += decoder.next(bad).length();
            }
            assertThat(given).isBetween(9_900, 10_000);
            assertThat(given + decoder.flush().length()).isEqualTo(10_000);
        }
    }

    @Test
    void filesThatAreNoTokenizersAreRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("tokenizer.json");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot read " + file + ": java.nio.file.NoSuchFileException: " + file);
        Files.write(file, new byte[] {(byte) 0xff, 0});
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not UTF-8");
        Files.writeString(file, "[]");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " must be a JSON object");
        Files.writeString(file, "{\"model\":{\"vocab\":{\"a\":99999999}}}");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + ": token ids must be in [0, 16777216]");
        Files.writeString(file, "{\"model\":{\"type\":\"Nonsense\"}}");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + " is not a tokenizer that can be read: ");
        Files.write(file, "[".repeat(100_000).getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + " is not JSON: ");
    }

    private static Tokenizer bytes() {
        return Tokenizer.ofGguf("t.gguf", GgufTokenizerTest.byteLevel());
    }
}
