package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Headers made by rule, whole and with one rule broken; damage of single bits is in the test kit's tests. */
class SafetensorsFileTest {

    private static final int RUNS = 60;
    private static final List<DType> TYPES =
            List.of(DType.F32, DType.F16, DType.BF16, DType.I64, DType.U8, DType.BOOL, DType.F8_E4M3);

    @TempDir
    Path folder;

    private int files;

    /** A header that can be bent: what each tensor says of itself, in JSON, and the bytes that follow. */
    private static final class Header {

        private final Map<String, Map<String, Object>> tensors = new LinkedHashMap<>();
        private final List<Integer> sizes = new ArrayList<>();
        private String metadata = "{\"format\":\"pt\"}";
        private byte[] data = {};
        private long lengthAdded;

        private static Header random(Random random) {
            Header header = new Header();
            int count = 1 + random.nextInt(5);
            int at = 0;
            for (int i = 0; i < count; i++) {
                DType type = TYPES.get(random.nextInt(TYPES.size()));
                List<Long> shape = new ArrayList<>();
                int bytes = type.blockBytes();
                for (int d = random.nextInt(4); d > 0; d--) {
                    shape.add(1L + random.nextInt(4));
                    bytes *= shape.get(shape.size() - 1).intValue();
                }
                Map<String, Object> entry = new LinkedHashMap<>();
                entry.put("dtype", "\"" + type.name() + "\"");
                entry.put("shape", shape.toString());
                entry.put("data_offsets", List.of(at, at + bytes).toString());
                header.tensors.put("layers." + i + ".weight", entry);
                header.sizes.add(bytes);
                at += bytes;
            }
            header.data = new byte[at];
            random.nextBytes(header.data);
            return header;
        }

        private Map<String, Object> last() {
            return new ArrayList<>(tensors.values()).get(tensors.size() - 1);
        }

        private int end() {
            return data.length;
        }

        private int begin() {
            return data.length - sizes.get(sizes.size() - 1);
        }

        private byte[] toBytes() {
            StringBuilder json = new StringBuilder("{\"__metadata__\":").append(metadata);
            List<String> names = new ArrayList<>(tensors.keySet());
            Collections.reverse(names); // the order of the header is not that of the data
            for (String name : names) {
                json.append(",\"").append(name).append("\":{");
                String separator = "";
                for (Map.Entry<String, Object> field : tensors.get(name).entrySet()) {
                    json.append(separator)
                            .append('"')
                            .append(field.getKey())
                            .append("\":")
                            .append(field.getValue());
                    separator = ",";
                }
                json.append('}');
            }
            byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(8 + text.length + data.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(text.length + lengthAdded)
                    .put(text)
                    .put(data)
                    .array();
        }
    }

    /** One rule broken, and what must be said of it. */
    private record Attack(String name, String message, BiConsumer<Header, Random> change) {}

    @Test
    void aHeaderWithoutFaultIsReadAsWritten() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < RUNS; run++) {
            Header header = Header.random(random);
            try (SafetensorsFile file = SafetensorsFile.open(write(header.toBytes()))) {
                assertThat(file.metadata()).as("seed %d", seed).isEqualTo(Map.of("format", "pt"));
                assertThat(file.tensors().keySet()).as("seed %d", seed).isEqualTo(header.tensors.keySet());
                int at = 0;
                int i = 0;
                for (Map.Entry<String, Map<String, Object>> tensor : header.tensors.entrySet()) {
                    int bytes = header.sizes.get(i++);
                    TensorInfo info = file.info(tensor.getKey());
                    assertThat(info.shape())
                            .hasToString(String.valueOf(tensor.getValue().get("shape")));
                    assertThat(file.bytes(tensor.getKey(), 0, bytes))
                            .as("seed %d, %s", seed, tensor)
                            .isEqualTo(ByteBuffer.wrap(header.data, at, bytes));
                    at += bytes;
                }
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> aHeaderWithOneFaultIsRefusedWithItsReason() {
        return Stream.of(
                        new Attack(
                                "no type",
                                "is missing or unknown: null",
                                (h, r) -> h.last().remove("dtype")),
                        new Attack(
                                "an unknown type",
                                "is missing or unknown: F7",
                                (h, r) -> h.last().put("dtype", "\"F7\"")),
                        new Attack(
                                "a type that is a number",
                                "is missing or unknown: 1",
                                (h, r) -> h.last().put("dtype", 1)),
                        new Attack(
                                "no shape",
                                " shape must be an array but was null",
                                (h, r) -> h.last().remove("shape")),
                        new Attack(
                                "a negative size",
                                " shape must hold whole numbers from 0 but held -",
                                (h, r) -> h.last().put("shape", "[" + -(1L + r.nextInt(9)) + "]")),
                        new Attack(
                                "half a size",
                                " shape must hold whole numbers from 0 but held 0.5",
                                (h, r) -> h.last().put("shape", "[0.5]")),
                        new Attack(
                                "a size in letters",
                                " shape must hold whole numbers from 0 but held 2",
                                (h, r) -> h.last().put("shape", "[\"2\"]")),
                        new Attack(
                                "sizes whose product overflows",
                                " overflows",
                                (h, r) -> h.last().put("shape", "[4611686018427387904, " + (8 + r.nextInt(9)) + "]")),
                        new Attack(
                                "an overflow to a small number",
                                " overflows",
                                (h, r) -> h.last().put("shape", "[4294967296, 4294967296, 4294967296, 4294967296]")),
                        new Attack(
                                "ends reversed",
                                " must be [from, to] but were ",
                                (h, r) -> h.last().put("data_offsets", List.of(h.end(), h.begin()))),
                        new Attack(
                                "three ends",
                                " must be [from, to] but were ",
                                (h, r) -> h.last().put("data_offsets", List.of(h.begin(), h.end(), h.end()))),
                        new Attack(
                                "an end past the file",
                                " ends past the end of the file; it is truncated",
                                (h, r) -> h.last()
                                        .put("data_offsets", List.of(h.begin(), (long) h.end() + 1 + r.nextInt(99)))),
                        new Attack(
                                "an end past all files",
                                " ends past the end of the file; it is truncated",
                                (h, r) -> h.last().put("data_offsets", List.of(h.begin(), Long.MAX_VALUE))),
                        new Attack(
                                "a beginning before the data",
                                " data_offsets must hold whole numbers from 0",
                                (h, r) -> h.last().put("data_offsets", List.of(-8, h.end()))),
                        new Attack(
                                "fewer bytes than the shape has",
                                " bytes but has ",
                                (h, r) -> h.last().put("data_offsets", List.of(h.begin(), h.end() - 1))),
                        new Attack(
                                "a tensor over another",
                                "tensors must follow one another but ",
                                (h, r) -> h.tensors.put("over", new LinkedHashMap<>(h.last()))),
                        new Attack(
                                "bytes that no tensor has",
                                "the tensors end at byte ",
                                (h, r) -> h.data = new byte[h.data.length + 1 + r.nextInt(9)]),
                        new Attack(
                                "a tensor that is a list",
                                "over must be a JSON object",
                                (h, r) -> h.metadata = "{},\"over\":[]"),
                        new Attack(
                                "metadata that is a number",
                                "__metadata__ must hold strings but a was 1",
                                (h, r) -> h.metadata = "{\"a\":1}"),
                        new Attack(
                                "metadata that is a list",
                                "__metadata__ must be a JSON object",
                                (h, r) -> h.metadata = "[]"),
                        new Attack(
                                "a length past the file",
                                "the header length must be in [2, ",
                                (h, r) -> h.lengthAdded = h.data.length + 1L + r.nextInt(99)),
                        new Attack(
                                "a length of half the world",
                                "the header length must be in [2, ",
                                (h, r) -> h.lengthAdded = Long.MAX_VALUE / 2),
                        new Attack(
                                "a negative length",
                                "the header length must be in [2, ",
                                (h, r) -> h.lengthAdded = -1L << 40))
                .map(attack -> dynamicTest(attack.name(), () -> refused(attack)));
    }

    private void refused(Attack attack) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int open = OpenHandle.open().size();
        for (int run = 0; run < RUNS / 6; run++) {
            Header header = Header.random(random);
            attack.change().accept(header, random);
            Path path = write(header.toBytes());
            assertThatThrownBy(() -> SafetensorsFile.open(path))
                    .as("seed %d, run %d", seed, run)
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageStartingWith(path + " is not a valid safetensors file: ")
                    .hasMessageContaining(attack.message())
                    .hasMessageEndingWith("; download the file again");
        }
        assertThat(OpenHandle.open()).as("seed %d", seed).hasSize(open);
    }

    @Test
    void aSizeBeyond64BitsIsRefused() throws IOException {
        Header header = Header.random(new Random(1));
        header.last().put("shape", "[18446744073709551616]");
        Path path = write(header.toBytes());
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(
                        path + " header is not valid JSON: the number 18446744073709551616 is too large");
    }

    @Test
    void everyBeginningOfAFileIsRefused() throws IOException {
        long seed = new Random().nextLong();
        byte[] whole = Header.random(new Random(seed)).toBytes();
        for (int length = 0; length < whole.length; length++) {
            Path path = write(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SafetensorsFile.open(path))
                    .as("seed %d, first %d bytes of %d", seed, length, whole.length)
                    .isInstanceOf(PolluxException.class)
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void tensorsWithoutElementsAreRead() throws IOException {
        Header header = new Header();
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("dtype", "\"F32\"");
        entry.put("shape", "[0, 9223372036854775807]");
        entry.put("data_offsets", "[0, 0]");
        header.tensors.put("empty", entry);
        try (SafetensorsFile file = SafetensorsFile.open(write(header.toBytes()))) {
            assertThat(file.info("empty").byteLength()).isZero();
            assertThat(file.floats("empty")).isEmpty();
        }
    }

    /** A file of a length, a header and {@code data} zeros. */
    private Path write(long length, String header, int data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return write(ByteBuffer.allocate(8 + text.length + data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(text)
                .array());
    }

    private static void refused(Path path, String why) {
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(path + " is not a valid safetensors file: " + why);
    }

    @Test
    void theHeaderHasTwoBytesOrMoreAndEndsInTheFile() throws IOException {
        String again = "; download the file again";
        SafetensorsFile least = SafetensorsFile.open(write(2, "{}", 0));
        assertThat(least.tensors()).isEmpty();
        least.close();
        refused(write(1, "{}", 0), "the header length must be in [2, 2] but was 1" + again);
        refused(write(3, "{}", 0), "the header length must be in [2, 2] but was 3" + again);
        refused(write(-1, "{}", 1000), "the header length must be in [2, 1002] but was 18446744073709551615" + again);
        refused(write(0, "", 0), "the header length must be in [2, 0] but was 0" + again);
        refused(write(new byte[7]), "it has 7 bytes, too few for a header length" + again);
    }

    @Test
    void aFileOfAnotherKindIsNamed() throws IOException {
        refused(write(new byte[0]), "it is empty; download the file again");
        refused(write("absent".getBytes(StandardCharsets.US_ASCII)), "it is a text, 'absent'; download the file again");
        refused(
                write("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".getBytes(StandardCharsets.US_ASCII)),
                "it is a Git LFS pointer, not the file itself; fetch the file with git lfs pull");
    }

    @Test
    void aTensorHasTheBytesOfItsShapeAndEndsInTheFile() throws IOException {
        String header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}}";
        String good = header.formatted(0, 8);
        Path path = write(good.length(), good, 8);
        SafetensorsFile file = SafetensorsFile.open(path);
        assertThat(file.floats("w")).containsExactly(0, 0);
        file.close();
        assertThatThrownBy(() -> file.floats("w"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(path + " is closed; open it again");
        refused(
                write(good.length(), good, 7),
                "w ends past the end of the file; it is truncated; download the file again");
        String other = header.formatted(2, 8);
        refused(
                write(other.length(), other, 8),
                "w of type F32 and shape [2] must have 8 bytes but has 6; download the file again");
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("model-" + files++ + ".safetensors"), bytes);
    }
}
