package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.Json;
import dev.pollux.internal.math.Float16;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Held by {@code golden/gguf}: values of every type bit for bit, metadata of every kind, encoders. */
final class GgufGoldenTest {

    @TestFactory
    Stream<DynamicTest> valuesOfEveryTypeAreThoseOfTheReference() throws IOException {
        Path set = ReferenceData.golden("gguf");
        return ReferenceData.cases(set, path -> path.toString().endsWith("-dequantized.safetensors")).stream()
                .flatMap(expected -> {
                    Path gguf =
                            set.resolve(expected.getFileName().toString().replace("-dequantized.safetensors", ".gguf"));
                    try (GgufFile file = GgufFile.open(gguf)) {
                        return file.tensors().keySet().stream()
                                .map(name -> dynamicTest(
                                        gguf.getFileName() + " " + name, () -> checkValues(gguf, expected, name)));
                    }
                });
    }

    private static void checkValues(Path gguf, Path expected, String name) {
        try (GgufFile file = GgufFile.open(gguf);
                SafetensorsFile reference = SafetensorsFile.open(expected)) {
            TensorInfo info = file.info(name);
            assertThat(info.shape()).isEqualTo(reference.info(name).shape());
            if (!Dequantizer.canRead(info.type())) {
                assertThatThrownBy(() -> file.floats(name))
                        .isInstanceOf(UnsupportedModelException.class)
                        .hasMessageStartingWith("Tensor type " + info.type() + " cannot be read yet, only [F64, F32,");
                return;
            }
            if (reference.info(name).type() != DType.F32) { // integers and doubles stay as they are
                assertThat(file.bytes(name, 0, (int) info.byteLength()))
                        .isEqualTo(reference.bytes(name, 0, (int) info.byteLength()));
            }
            float[] values = file.floats(name);
            float[] wanted = reference.floats(name);
            for (int i = 0; i < wanted.length; i++) {
                assertThat(Float.floatToIntBits(values[i]))
                        .as("element %d: %s, reference %s", i, values[i], wanted[i])
                        .isEqualTo(Float.floatToIntBits(wanted[i]));
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> metadataIsWhatTheManifestSays() throws IOException {
        Path set = ReferenceData.golden("gguf");
        Map<?, ?> expected = (Map<?, ?>) json(set.resolve("manifest.json")).get("metadata_expected");
        return ReferenceData.cases(set, path -> path.getFileName().toString().matches("metadata.*\\.gguf")).stream()
                .map(path -> dynamicTest(path.getFileName().toString(), () -> {
                    try (GgufFile file = GgufFile.open(path)) {
                        expected.forEach((key, value) -> {
                            // The writer that made the files leaves empty strings out.
                            Object read = file.metadata().getOrDefault(key, value.equals("") ? "" : "absent");
                            assertThat(comparable(read)).as("%s", key).isEqualTo(comparable(value));
                        });
                    }
                }));
    }

    /** Whole numbers as text and floats as doubles, since JSON has one kind of number. */
    private static Object comparable(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(GgufGoldenTest::comparable).toList();
        }
        if (value instanceof Float number) {
            return number.doubleValue();
        }
        return value instanceof Long || value instanceof BigInteger ? value.toString() : value;
    }

    @TestFactory
    Stream<DynamicTest> tensorsOfTheMetadataFilesCanBeReadUnlessBigEndian() {
        return ReferenceData.cases(
                        ReferenceData.golden("gguf"),
                        path -> path.getFileName().toString().matches("metadata.*\\.gguf"))
                .stream()
                .map(path -> dynamicTest(path.getFileName().toString(), () -> {
                    try (GgufFile file = GgufFile.open(path)) {
                        for (String name : file.tensors().keySet()) {
                            if (path.toString().contains("big-endian")) {
                                assertThatThrownBy(() -> file.floats(name))
                                        .isInstanceOf(UnsupportedModelException.class)
                                        .hasMessage(path + " is big-endian: its metadata can be read, its tensors"
                                                + " cannot; get the little-endian file");
                            } else {
                                assertThat(file.floats(name))
                                        .hasSize((int) file.info(name).elements());
                            }
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> encodersGiveTheBytesOfTheReference() {
        Path path = ReferenceData.golden("gguf").resolve("encoded.safetensors");
        return Stream.of(dynamicTest("BF16", () -> {
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                ByteBuffer wanted =
                        file.bytes("BF16", 0, (int) file.info("BF16").byteLength());
                float[] input = file.floats("input");
                for (int i = 0; i < input.length; i++) {
                    assertThat(Float16.toBfloat16(input[i])).as("element %d", i).isEqualTo(wanted.getShort(2 * i));
                }
            }
        }));
    }

    private static Map<?, ?> json(Path path) throws IOException {
        return (Map<?, ?>) Json.parse(ByteBuffer.wrap(Files.readAllBytes(path)), path.toString());
    }
}
