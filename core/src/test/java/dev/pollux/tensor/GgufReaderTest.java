package dev.pollux.tensor;

import static dev.pollux.tensor.GgufFields.ARRAY;
import static dev.pollux.tensor.GgufFields.STRING;
import static dev.pollux.tensor.GgufFields.U32;
import static dev.pollux.tensor.GgufFields.U8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.MalformedFileException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The limits of the format, each at its last allowed value and one past it, with messages in full. */
@ExtendWith(NoOpenFiles.class)
class GgufReaderTest {

    @TempDir
    Path folder;

    private GgufFile open(GgufFields fields) throws IOException {
        return fields.open(folder);
    }

    private void accepted(GgufFields fields) throws IOException {
        fields.open(folder).close();
    }

    private void refused(GgufFields fields, int at, String why) {
        fields.assertRefused(folder, at, why);
    }

    private record Cut(String what, int at, GgufFields fields) {}

    /** Each file ends one byte before the end of a field. */
    @TestFactory
    Stream<DynamicTest> aFileThatEndsInsideAFieldNamesIt() {
        GgufFields header = GgufFields.version(3);
        return Stream.of(
                        new Cut("number of tensors", 8, GgufFields.version(3).zeros(7)),
                        new Cut("number of key-value pairs", 16, header.u64(0).zeros(7)),
                        new Cut(
                                "value type",
                                35,
                                GgufFields.of(0, 1).text("abc").zeros(3)),
                        new Cut("value", 40, GgufFields.of(0, 1).key("abcd", 2).zeros(1)),
                        new Cut("value", 40, GgufFields.of(0, 1).key("abcd", 4).zeros(3)),
                        new Cut("value", 40, GgufFields.of(0, 1).key("abcd", 12).zeros(7)),
                        new Cut(
                                "string length",
                                40,
                                GgufFields.of(0, 1).key("abcd", STRING).zeros(7)),
                        new Cut(
                                "array item type",
                                40,
                                GgufFields.of(0, 1).key("abcd", ARRAY).zeros(3)),
                        new Cut(
                                "array length",
                                44,
                                GgufFields.of(0, 1).key("abcd", ARRAY).u32(U8).zeros(7)),
                        new Cut(
                                "key length",
                                43,
                                GgufFields.of(0, 2).key("abcdef", U8).u8(1).zeros(7)),
                        new Cut(
                                "number of dimensions of abcdefghijklm",
                                45,
                                GgufFields.of(1, 0).text("abcdefghijklm").zeros(3)),
                        new Cut(
                                "description of w",
                                37,
                                GgufFields.of(1, 0).text("w").u32(2).zeros(27)))
                .map(cut -> dynamicTest(
                        cut.what(),
                        () -> refused(
                                cut.fields(), cut.at(), "it ends inside the " + cut.what() + "; it is truncated")));
    }

    @Test
    void theLeastFileIsACountOfNothing() throws IOException {
        try (GgufFile file = open(GgufFields.version(2).u64(0).u64(0))) {
            assertThat(file.version()).isEqualTo(2);
            assertThat(file.metadata()).isEmpty();
            assertThat(file.tensors()).isEmpty();
        }
        refused(
                new GgufFields(ByteOrder.LITTLE_ENDIAN).zeros(3),
                0,
                "it ends inside the magic and version; it is truncated");
    }

    @Test
    void theMagicAndTheVersionAreChecked() throws IOException {
        Path other = Files.write(folder.resolve("other.gguf"), "GGML....".getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> GgufFile.open(other))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        other + " is not a valid GGUF file: it must begin with the letters GGUF; it is another kind of"
                                + " file (byte 4); download the file again");
        refused(GgufFields.version(1), 8, "version must be 2 or 3 but was 1");
        refused(GgufFields.version(-1), 8, "version must be 2 or 3 but was 4294967295");
        refused(new GgufFields(ByteOrder.BIG_ENDIAN).u32(4), 8, "version must be 2 or 3 but was 4");
        accepted(new GgufFields(ByteOrder.BIG_ENDIAN).u32(2).u64(0).u64(0));
    }

    @Test
    void aCountIsLimitedByTheBytesThatFollow() throws IOException {
        accepted(GgufFields.of(0, 1).key("", U8).u8(1));
        refused(
                GgufFields.of(0, 2).key("", U8).u8(1),
                24,
                "number of key-value pairs is 2, more than the file can hold");
        // 24 bytes after the number of tensors: enough for one, which turns out to be shorter than its description.
        refused(
                GgufFields.of(1, 0).text("").u32(0).zeros(4),
                36,
                "it ends inside the description of ; it is truncated");
        refused(
                GgufFields.of(1, 0).text("").u32(0).zeros(3),
                16,
                "number of tensors is 1, more than the file can hold");
    }

    @Test
    void aKeyHasAtMost65535Bytes() throws IOException {
        accepted(GgufFields.of(0, 1).key("k".repeat(65_535), U8).u8(1));
        refused(
                GgufFields.of(0, 1).key("k".repeat(65_536), U8).u8(1),
                32,
                "key has 65536 bytes, more than the 65535 allowed");
    }

    @Test
    void aStringHasAtMost256MebibytesAndEndsInTheFile() throws IOException {
        GgufFields fields = GgufFields.of(0, 1).key("a", STRING);
        refused(
                fields.u64((256 << 20) + 1).zeros(4),
                45,
                "string has 268435457 bytes, more than the 268435456 allowed");
        refused(
                GgufFields.of(0, 1).key("a", STRING).u64(256 << 20).zeros(4),
                45,
                "string has 268435456 bytes, more than the 4 left");
        refused(
                GgufFields.of(0, 1).key("a", STRING).u64(-1).zeros(4),
                45,
                "string has 18446744073709551615 bytes, more than the 268435456 allowed");
        refused(GgufFields.of(0, 1).key("a", STRING).u64(5).zeros(4), 45, "string has 5 bytes, more than the 4 left");
        accepted(GgufFields.of(0, 1).key("a", STRING).u64(4).zeros(4));
        refused(
                GgufFields.of(0, 1)
                        .key("a", STRING)
                        .u64(3)
                        .u8('a')
                        .u8(0xff)
                        .u8('b')
                        .zeros(1),
                48,
                "string at byte 45 is not UTF-8");
    }

    @Test
    void aNameHasAtMost63BytesAndATensorAtMost4Dimensions() throws IOException {
        String name = "n".repeat(63);
        try (GgufFile file =
                open(GgufFields.of(1, 0).tensor(name, 24, 0, 1, 2, 3, 4).data(24))) {
            assertThat(file.info(name).shape()).containsExactly(4L, 3L, 2L, 1L);
        }
        refused(
                GgufFields.of(1, 0).tensor(name + "n", 24, 0, 1).data(1),
                32,
                "tensor name has 64 bytes, more than the 63 allowed");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, 1, 1, 1, 1, 1).data(1),
                37,
                "w must have at most 4 dimensions but has 5");
    }

    @Test
    void theProductOfTheDimensionsIsBelow2To60() {
        long most = (1L << 60) - 1;
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, most).data(0),
                57,
                "w ends past the end of the file (64 bytes); it is truncated");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, most + 1).data(0),
                45,
                "dimension 0 of w is out of range: 1152921504606846976");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, 3, most / 3).data(0),
                65,
                "w ends past the end of the file (96 bytes); it is truncated");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, 3, most / 3 + 1).data(0),
                53,
                "dimension 1 of w is out of range: 384307168202282326");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 0, 0, -1).data(0),
                53,
                "dimension 1 of w is out of range: 18446744073709551615");
    }

    @Test
    void aTensorMayHaveNoDimensionsOrNoElements() throws IOException {
        GgufFields fields = GgufFields.of(4, 0)
                .tensor("scalar", 0, 0)
                .tensor("none", 0, 0, 0, Long.MAX_VALUE)
                .tensor("end", 0, 32, 0)
                .tensor("noBlocks", 2, 32, 0)
                .pad(32)
                .u32(Float.floatToIntBits(7))
                .zeros(28);
        try (GgufFile file = open(fields)) {
            assertThat(file.floats("scalar")).containsExactly(7);
            assertThat(file.info("none").shape()).containsExactly(Long.MAX_VALUE, 0L);
            assertThat(file.floats("none")).isEmpty();
            assertThat(file.floats("end")).isEmpty();
            assertThat(file.info("noBlocks").byteLength()).isZero();
        }
        refused(
                GgufFields.of(1, 0).tensor("w", 2, 0).data(32),
                41,
                "w has rows of 1, which must be a multiple of 32, the block of Q4_0");
        refused(
                GgufFields.of(1, 0).tensor("w", 2, 0, 33, 32).data(32),
                57,
                "w has rows of 33, which must be a multiple of 32, the block of Q4_0");
        refused(
                GgufFields.of(1, 0).tensor("w", 5, 0, 32).data(32),
                49,
                "tensor type 5 of w is unknown or was removed from the format");
    }

    @Test
    void aTensorEndsInTheFile() throws IOException {
        accepted(GgufFields.of(1, 0).tensor("w", 24, 32, 8).data(40));
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 32, 9).data(40),
                57,
                "w ends past the end of the file (104 bytes); it is truncated");
        accepted(GgufFields.of(1, 0).tensor("w", 24, 32, 0).data(32));
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 64, 0).data(63),
                57,
                "w ends past the end of the file (127 bytes); it is truncated");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, 1, 8).data(40),
                57,
                "the offset of w must be a multiple of 32 but was 1");
        refused(
                GgufFields.of(1, 0).tensor("w", 24, -32, 8).data(40),
                57,
                "the offset of w must be a multiple of 32 but was 18446744073709551584");
    }

    @Test
    void tensorsMayTouchInAnyOrderButNotOverlap() throws IOException {
        accepted(GgufFields.of(3, 0)
                .tensor("b", 24, 32, 32)
                .tensor("a", 24, 0, 32)
                .tensor("none", 24, 0, 0)
                .data(64));
        refused(
                GgufFields.of(2, 0)
                        .tensor("b", 24, 32, 32)
                        .tensor("a", 24, 0, 33)
                        .data(64),
                90,
                "tensors a and b overlap");
        refused(
                GgufFields.of(3, 0)
                        .tensor("a", 24, 0, 1)
                        .tensor("c", 24, 64, 1)
                        .tensor("b", 24, 32, 33)
                        .data(96),
                123,
                "tensors b and c overlap");
        refused(GgufFields.of(2, 0).tensor("a", 24, 0, 1).tensor("a", 24, 32, 1).data(64), 90, "tensor a occurs twice");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 32, 64, 4096})
    void theDataBeginsAtAMultipleOfTheAlignment(int alignment) throws IOException {
        GgufFields fields = GgufFields.of(2, 1)
                .key("general.alignment", U32)
                .u32(alignment)
                .tensor("a", 24, 0, 1)
                .tensor("b", 24, alignment, 1)
                .pad(alignment)
                .u8(5)
                .pad(alignment)
                .u8(6);
        try (GgufFile file = open(fields)) {
            assertThat(file.floats("a")).containsExactly(5);
            assertThat(file.floats("b")).containsExactly(6);
        }
    }

    @Test
    void theAlignmentIsAPowerOfTwoUpTo2To30() throws IOException {
        accepted(GgufFields.of(0, 1).key("general.alignment", U32).u32(1 << 30));
        refused(
                GgufFields.of(0, 1).key("general.alignment", U32).u32(1L << 31),
                57,
                "general.alignment must be a power of two but was 2147483648");
        refused(
                GgufFields.of(0, 1).key("general.alignment", 11).u64(Long.MIN_VALUE),
                61,
                "general.alignment must be a power of two but was -9223372036854775808");
        refused(
                GgufFields.of(0, 1).key("general.alignment", U32).u32(0),
                57,
                "general.alignment must be a power of two but was 0");
        refused(
                GgufFields.of(0, 1).key("general.alignment", U32).u32(3),
                57,
                "general.alignment must be a power of two but was 3");
    }

    @Test
    void unknownTypesAreRefused() {
        refused(GgufFields.of(0, 1).key("a", 13).zeros(8), 37, "value type 13 is unknown (0 to 12 are known)");
        refused(GgufFields.of(0, 1).key("a", 98).zeros(8), 37, "value type 98 is unknown (0 to 12 are known)");
        refused(GgufFields.of(0, 1).key("a", -1).zeros(8), 37, "value type 4294967295 is unknown (0 to 12 are known)");
        refused(GgufFields.of(0, 1).array("a", 13, 0), 41, "array item type 13 is unknown (0 to 12 are known)");
        refused(GgufFields.of(0, 1).array("a", -1, 0), 41, "array item type 4294967295 is unknown (0 to 12 are known)");
    }

    /** A key, a list of empty strings (zeros in the file) and a tensor or none. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aFileHasAtMost8388608KeysTextsAndTensors(int tensors) throws IOException {
        int texts = (1 << 23) - 1;
        GgufFields fields = GgufFields.of(tensors, 1).array("a", STRING, texts);
        Path path = Files.write(folder.resolve("many.gguf"), fields.bytes());
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(file.length() + 8L * texts + 64);
        }
        if (tensors == 0) {
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.array("a").orElseThrow()).hasSize(texts);
            }
        } else {
            assertThatThrownBy(() -> GgufFile.open(path))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(path + " is not a valid GGUF file: it holds more than 8388608 keys, strings, arrays and"
                            + " tensors (byte " + (49 + 8 * texts) + "); download the file again");
        }
    }
}
