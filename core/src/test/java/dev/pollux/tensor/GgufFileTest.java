package dev.pollux.tensor;

import static dev.pollux.tensor.GgufFields.ARRAY;
import static dev.pollux.tensor.GgufFields.BOOL;
import static dev.pollux.tensor.GgufFields.I32;
import static dev.pollux.tensor.GgufFields.STRING;
import static dev.pollux.tensor.GgufFields.U64;
import static dev.pollux.tensor.GgufFields.U8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Headers written field by field, whole and with one rule broken; damage of single bits is in the test kit's tests. */
class GgufFileTest {

    @TempDir
    Path folder;

    private int files;

    private record Attack(String name, String message, GgufFields fields) {}

    @Test
    void everyTypeOfValueIsRead() throws IOException {
        GgufFields fields = GgufFields.of(0, 15)
                .key("u8", 0)
                .u8(255)
                .key("i8", 1)
                .u8(255)
                .key("u16", 2)
                .u16(65_535)
                .key("i16", 3)
                .u16(65_535)
                .key("u32", 4)
                .u32(0xffffffffL)
                .key("i32", 5)
                .u32(0xffffffffL)
                .key("f32", 6)
                .u32(Float.floatToIntBits(0.5f))
                .key("bool", 7)
                .u8(1)
                .key("string", 8)
                .text("größe")
                .key("u64", 10)
                .u64(-1)
                .key("i64", 11)
                .u64(-1)
                .key("f64", 12)
                .u64(Double.doubleToLongBits(0.1))
                .key("numbers", 9)
                .u32(I32)
                .u64(2)
                .u32(7)
                .u32(-7)
                .key("texts", 9)
                .u32(STRING)
                .u64(2)
                .text("a")
                .text("")
                .key("lists", 9)
                .u32(ARRAY)
                .u64(2)
                .u32(U8)
                .u64(1)
                .u8(9)
                .u32(BOOL)
                .u64(1)
                .u8(0);
        try (GgufFile file = GgufFile.open(write(fields))) {
            assertThat(file.metadata().values())
                    .hasToString(List.of(
                                    255L,
                                    -1L,
                                    65_535L,
                                    -1L,
                                    4_294_967_295L,
                                    -1L,
                                    0.5f,
                                    true,
                                    "größe",
                                    new BigInteger("18446744073709551615"),
                                    -1L,
                                    0.1,
                                    List.of(7L, -7L),
                                    List.of("a", ""),
                                    List.of(List.of(9L), List.of(false)))
                            .toString());
            assertThat(file.integer("i32")).contains(-1L);
            assertThat(file.number("f32")).contains(0.5);
            assertThat(file.string("absent")).isEmpty();
            assertThat(file.array("texts")).contains(List.of("a", ""));
            assertThatThrownBy(() -> file.string("u8"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(file.files().get(0) + ": u8 must be of type String but was Long");
        }
    }

    @Test
    void aFileInBigEndianOrderTellsItsMetadata() throws IOException {
        GgufFields fields = new GgufFields(ByteOrder.BIG_ENDIAN)
                .u32(3)
                .u64(1)
                .u64(1)
                .key("general.name", STRING)
                .text("big")
                .tensor("w", 0, 0, 4)
                .data(16);
        try (GgufFile file = GgufFile.open(write(fields))) {
            assertThat(file.string("general.name")).contains("big");
            assertThatThrownBy(() -> file.floats("w"))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(file.files().get(0)
                            + " is big-endian: its metadata can be read, its tensors cannot; get the"
                            + " little-endian file");
        }
    }

    @TestFactory
    Stream<DynamicTest> aHeaderWithOneFaultIsRefusedWithItsReason() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        long huge = Long.MAX_VALUE - random.nextInt(99);
        return Stream.of(
                        new Attack(
                                "version 0",
                                "version must be 2 or 3 but was 0",
                                GgufFields.version(0).u64(0).u64(0)),
                        new Attack(
                                "version 4",
                                "version must be 2 or 3 but was 4",
                                GgufFields.version(4).u64(0).u64(0)),
                        new Attack(
                                "tensors without end",
                                "number of tensors is " + huge + ", more than the file can hold",
                                GgufFields.of(huge, 0)),
                        new Attack(
                                "minus one tensor",
                                "number of tensors is 18446744073709551615, more than",
                                GgufFields.of(-1, 0)),
                        new Attack(
                                "pairs without end",
                                "number of key-value pairs is " + huge + ", more than",
                                GgufFields.of(0, huge)),
                        new Attack("one pair more than there is", "more than the file can hold", GgufFields.of(0, 1)),
                        new Attack(
                                "a key without end",
                                "key has " + huge + " bytes, more than the 65535 allowed",
                                GgufFields.of(0, 1).u64(huge).u64(0).u64(0)),
                        new Attack(
                                "a key past the file",
                                "key has 1000 bytes, more than the 16 left",
                                GgufFields.of(0, 1).u64(1_000).u64(0).u64(0)),
                        new Attack(
                                "a key that is no UTF-8",
                                "is not UTF-8",
                                GgufFields.of(0, 1)
                                        .u64(2)
                                        .u8(0xff)
                                        .u8(0xfe)
                                        .u32(U8)
                                        .u64(0)),
                        new Attack(
                                "a key twice",
                                "key 'a' occurs twice",
                                GgufFields.of(0, 2)
                                        .key("a", U8)
                                        .u8(0)
                                        .key("a", U8)
                                        .u8(0)),
                        new Attack(
                                "a type of value that is not known",
                                "value type 13 is unknown (0 to 12 are known)",
                                GgufFields.of(0, 1).key("a", 13).u64(0)),
                        new Attack(
                                "a type of value above all",
                                "value type 4294967295 is unknown",
                                GgufFields.of(0, 1).key("a", -1).u64(0)),
                        new Attack(
                                "a bool of 2",
                                "a bool must be 0 or 1 but was 2",
                                GgufFields.of(0, 1).key("a", BOOL).u8(2)),
                        new Attack(
                                "a bool of 2 in an array",
                                "a bool must be 0 or 1 but was 2",
                                GgufFields.of(0, 1)
                                        .key("a", ARRAY)
                                        .u32(BOOL)
                                        .u64(2)
                                        .u8(1)
                                        .u8(2)),
                        new Attack(
                                "an array without end",
                                "array length is " + huge + ", more than",
                                GgufFields.of(0, 1).key("a", ARRAY).u32(U64).u64(huge)),
                        new Attack(
                                "an array of an unknown type",
                                "array item type 13 is unknown",
                                GgufFields.of(0, 1).key("a", ARRAY).u32(13).u64(0)),
                        new Attack("arrays in arrays without end", "arrays are nested deeper than 16", nested(17)),
                        new Attack(
                                "an alignment of 0",
                                "general.alignment must be a power of two but was 0",
                                GgufFields.of(0, 1).key("general.alignment", 4).u32(0)),
                        new Attack(
                                "an alignment of 24",
                                "general.alignment must be a power of two but was 24",
                                GgufFields.of(0, 1).key("general.alignment", 4).u32(24)),
                        new Attack(
                                "an alignment in letters",
                                "general.alignment must be a power of two but was 32",
                                GgufFields.of(0, 1)
                                        .key("general.alignment", STRING)
                                        .text("32")),
                        new Attack(
                                "five dimensions",
                                "w must have at most 4 dimensions but has 5",
                                GgufFields.of(1, 0).tensor("w", 0, 0, 1, 1, 1, 1, 1)),
                        new Attack(
                                "dimensions without end",
                                "w must have at most 4 dimensions but has 4294967295",
                                GgufFields.of(1, 0).text("w").u32(-1).u64(0)),
                        new Attack(
                                "a negative dimension",
                                "dimension 0 of w is out of range: 18446744073709551615",
                                GgufFields.of(1, 0).tensor("w", 0, 0, -1)),
                        new Attack(
                                "dimensions whose product overflows",
                                "dimension 1 of w is out of range: 4294967296",
                                GgufFields.of(1, 0).tensor("w", 0, 0, 1L << 32, 1L << 32)),
                        new Attack(
                                "a type that was removed",
                                "tensor type 4 of w is unknown or was removed",
                                GgufFields.of(1, 0).tensor("w", 4, 0, 32)),
                        new Attack(
                                "a type that is not known",
                                "tensor type 4294967295 of w is unknown",
                                GgufFields.of(1, 0).tensor("w", -1, 0, 32)),
                        new Attack(
                                "half a block",
                                "w has rows of 16, which must be a multiple of 32, the block of Q4_0",
                                GgufFields.of(1, 0).tensor("w", 2, 0, 16)),
                        new Attack(
                                "a crooked offset",
                                "the offset of w must be a multiple of 32 but was 8",
                                GgufFields.of(1, 0).tensor("w", 0, 8, 4).data(64)),
                        new Attack(
                                "a negative offset",
                                "the offset of w must be a multiple of 32 but was 18446744073709551584",
                                GgufFields.of(1, 0).tensor("w", 0, -32, 4).data(64)),
                        new Attack(
                                "an offset past the file",
                                "w ends past the end of the file (",
                                GgufFields.of(1, 0).tensor("w", 0, 64, 4).data(64)),
                        new Attack(
                                "an offset past all files",
                                "w ends past the end of the file (",
                                GgufFields.of(1, 0)
                                        .tensor("w", 0, Long.MAX_VALUE - 31, 4)
                                        .data(64)),
                        new Attack(
                                "a tensor longer than the file",
                                "w ends past the end of the file (",
                                GgufFields.of(1, 0).tensor("w", 0, 0, 1L << 40).data(64)),
                        new Attack(
                                "a tensor twice",
                                "tensor w occurs twice",
                                GgufFields.of(2, 0)
                                        .tensor("w", 0, 0, 4)
                                        .tensor("w", 0, 32, 4)
                                        .data(64)),
                        new Attack(
                                "tensors over one another",
                                "tensors v and w overlap",
                                GgufFields.of(2, 0)
                                        .tensor("v", 0, 0, 9)
                                        .tensor("w", 0, 32, 4)
                                        .data(64)),
                        new Attack(
                                "a name that is too long",
                                "tensor name has 64 bytes, more than the 63 allowed",
                                GgufFields.of(1, 0)
                                        .tensor("w".repeat(64), 0, 0, 4)
                                        .data(64)))
                .map(attack -> dynamicTest(attack.name(), () -> refused(attack, seed)));
    }

    private void refused(Attack attack, long seed) throws IOException {
        int open = OpenHandle.open().size();
        Path path = write(attack.fields());
        assertThatThrownBy(() -> GgufFile.open(path))
                .as("seed %d", seed)
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(path + " is not a valid GGUF file: ")
                .hasMessageContaining(attack.message())
                .hasMessageEndingWith("; download the file again");
        assertThat(OpenHandle.open()).hasSize(open);
    }

    @Test
    void arraysInArraysAreReadToTheirLimit() throws IOException {
        try (GgufFile file = GgufFile.open(write(nested(16)))) {
            assertThat(file.array("a")).isPresent();
        }
    }

    @Test
    void everyBeginningOfAFileIsRefused() throws IOException {
        Consumer<GgufFields> pairs = fields -> fields.key("general.name", STRING)
                .text("tiny")
                .key("list", ARRAY)
                .u32(STRING)
                .u64(2)
                .text("a")
                .text("b");
        GgufFields fields = GgufFields.of(2, 2);
        pairs.accept(fields);
        fields.tensor("v", 0, 0, 4, 2).tensor("w", 2, 32, 32).data(32 + 18);
        byte[] whole = fields.bytes();
        try (GgufFile file = GgufFile.open(write(whole))) {
            assertThat(file.tensors().keySet()).containsExactly("v", "w");
            assertThat(file.info("v").shape()).containsExactly(2L, 4L);
        }
        for (int length = 0; length < whole.length; length++) {
            Path path = write(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> GgufFile.open(path))
                    .as("first %d bytes of %d", length, whole.length)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void randomHeadersAreReadOrRefusedWithoutMuchMemory() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 300; run++) {
            GgufFields fields = GgufFields.of(random.nextInt(3), random.nextInt(4));
            for (int i = random.nextInt(30); i > 0; i--) {
                switch (random.nextInt(5)) {
                    case 0 -> fields.u8(random.nextInt(256));
                    case 1 -> fields.u32(random.nextInt(14));
                    case 2 -> fields.u64(random.nextInt(40));
                    case 3 -> fields.u64(random.nextLong());
                    default -> fields.text("k" + random.nextInt(3));
                }
            }
            Path path = write(fields.data(random.nextInt(64)));
            try (GgufFile file = GgufFile.open(path)) {
                for (TensorInfo info : file.tensors().values()) {
                    assertThat(info.offset() + info.byteLength())
                            .as("seed %d, run %d", seed, run)
                            .isLessThanOrEqualTo(Files.size(path));
                }
            } catch (MalformedFileException e) {
                assertThat(e).as("seed %d, run %d", seed, run).hasMessageContaining(path.toString());
            }
        }
    }

    private static GgufFields nested(int depth) {
        GgufFields fields = GgufFields.of(0, 1).key("a", ARRAY);
        for (int i = 1; i < depth; i++) {
            fields.u32(ARRAY).u64(1);
        }
        return fields.u32(U8).u64(0);
    }

    private Path write(GgufFields fields) throws IOException {
        return write(fields.bytes());
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("model-" + files++ + ".gguf"), bytes);
    }
}
