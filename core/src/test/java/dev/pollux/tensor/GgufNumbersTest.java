package dev.pollux.tensor;

import static dev.pollux.tensor.GgufFields.BOOL;
import static dev.pollux.tensor.GgufFields.STRING;
import static dev.pollux.tensor.GgufFields.U32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(NoOpenFiles.class)
class GgufNumbersTest {

    @TempDir
    Path folder;

    private GgufFile open(GgufFields fields) throws IOException {
        return fields.open(folder);
    }

    private void refused(GgufFields fields, int at, String why) {
        fields.assertRefused(folder, at, why);
    }

    /** An array of two at the end of the file, and a third item that is one byte short. */
    @ParameterizedTest
    @CsvSource({
        "0, 1", "1, 1", "2, 2", "3, 2", "4, 4", "5, 4", "6, 4", "7, 1", "8, 8", "9, 12", "10, 8", "11, 8", "12, 8"
    })
    void anArrayIsLimitedByTheBytesThatFollow(int type, int bytes) throws IOException {
        try (GgufFile file = open(GgufFields.of(0, 1).array("a", type, 2).zeros(2 * bytes))) {
            assertThat(file.array("a").orElseThrow()).hasSize(2);
        }
        refused(
                GgufFields.of(0, 1).array("a", type, 3).zeros(3 * bytes - 1),
                49,
                "array length is 3, more than the file can hold");
    }

    @Test
    void whatFollowsAnArrayIsRead() throws IOException {
        GgufFields fields = GgufFields.of(0, 4)
                .array("a", 3, 3)
                .u16(1)
                .u16(-2)
                .u16(3)
                .array("b", STRING, 1)
                .text("x")
                .array("c", BOOL, 3)
                .u8(1)
                .u8(0)
                .u8(1)
                .key("d", U32)
                .u32(7);
        try (GgufFile file = open(fields)) {
            assertThat(file.metadata()).hasToString("{a=[1, -2, 3], b=[x], c=[true, false, true], d=7}");
        }
    }

    @Test
    void theExtremesOfNumbersInArraysAreRead() throws IOException {
        GgufFields fields = GgufFields.of(0, 10)
                .array("u8", 0, 2)
                .u8(255)
                .u8(1)
                .array("i8", 1, 2)
                .u8(128)
                .u8(1)
                .array("u16", 2, 2)
                .u16(0xffff)
                .u16(1)
                .array("i16", 3, 2)
                .u16(0x8000)
                .u16(1)
                .array("u32", 4, 2)
                .u32(0xffffffffL)
                .u32(1)
                .array("i32", 5, 2)
                .u32(0x80000000L)
                .u32(1)
                .array("f32", 6, 2)
                .u32(Float.floatToIntBits(-0.5f))
                .u32(Float.floatToIntBits(2))
                .array("u64", 10, 3)
                .u64(-1)
                .u64(Long.MAX_VALUE)
                .u64(0)
                .array("i64", 11, 2)
                .u64(Long.MIN_VALUE)
                .u64(1)
                .array("f64", 12, 2)
                .u64(Double.doubleToLongBits(0.1))
                .u64(Double.doubleToLongBits(-3));
        try (GgufFile file = open(fields)) {
            assertThat(List.copyOf(file.metadata().values()))
                    .isEqualTo(List.of(
                            List.of(255L, 1L),
                            List.of(-128L, 1L),
                            List.of(65_535L, 1L),
                            List.of(-32_768L, 1L),
                            List.of(4_294_967_295L, 1L),
                            List.of(-2_147_483_648L, 1L),
                            List.of(-0.5f, 2f),
                            List.of(new BigInteger("18446744073709551615"), Long.MAX_VALUE, 0L),
                            List.of(Long.MIN_VALUE, 1L),
                            List.of(0.1, -3.0)));
            List<?> bytes = file.array("u8").orElseThrow();
            assertThatThrownBy(() -> bytes.get(2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> bytes.get(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void numbersOfABigEndianFileAreBigEndian() throws IOException {
        GgufFields fields = new GgufFields(ByteOrder.BIG_ENDIAN)
                .u32(3)
                .u64(0)
                .u64(1)
                .array("a", U32, 2)
                .u32(1)
                .u32(0xff000000L);
        try (GgufFile file = open(fields)) {
            assertThat(file.array("a").orElseThrow().toString()).isEqualTo("[1, 4278190080]");
        }
    }

    @Test
    void aViewOfNumbersHasNoTexts() {
        GgufNumbers texts = new GgufNumbers(STRING, 1, ByteBuffer.allocate(8));
        assertThatThrownBy(() -> texts.get(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("value type 8 is not a number");
    }

    @Test
    void boolsAre0Or1() throws IOException {
        refused(GgufFields.of(0, 1).key("a", BOOL).u8(2), 38, "a bool must be 0 or 1 but was 2");
        refused(GgufFields.of(0, 1).key("a", BOOL).u8(255), 38, "a bool must be 0 or 1 but was -1");
        refused(GgufFields.of(0, 1).array("a", BOOL, 2).u8(0).u8(3), 49, "a bool must be 0 or 1 but was 3");
        try (GgufFile file =
                open(GgufFields.of(0, 2).key("a", BOOL).u8(0).key("b", BOOL).u8(1))) {
            assertThat(file.metadata()).hasToString("{a=false, b=true}");
        }
    }
}
