package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.Json;
import dev.pollux.internal.OpenHandle;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Held by the damaged files of {@code golden/gguf}: what must open, opens; the rest fails with a clear error. */
final class MalformedFilesTest {

    @TestFactory
    Stream<DynamicTest> damagedGgufFilesAreRefused() throws IOException {
        return cases("malformed-gguf", GgufFile::open);
    }

    @TestFactory
    Stream<DynamicTest> damagedSafetensorsFilesAreRefused() throws IOException {
        return cases("malformed-safetensors", SafetensorsFile::open);
    }

    private static Stream<DynamicTest> cases(String folder, Function<Path, TensorFile> open) throws IOException {
        Path set = ReferenceData.golden("gguf").resolve(folder);
        byte[] manifest = Files.readAllBytes(set.resolve("manifest.json"));
        Map<?, ?> root = (Map<?, ?>) Json.parse(ByteBuffer.wrap(manifest), "manifest.json");
        List<?> files = (List<?>) root.get("files");
        assertThat(files).isNotEmpty();
        return files.stream().map(item -> {
            Map<?, ?> file = (Map<?, ?>) item;
            Path path = set.resolve((String) file.get("file"));
            return dynamicTest(file.get("file") + ": " + file.get("why"), () -> check(path, file.get("expect"), open));
        });
    }

    private static void check(Path path, Object expect, Function<Path, TensorFile> open) {
        int before = OpenHandle.open().size();
        if (expect.equals("reject")) {
            assertThatThrownBy(() -> read(path, open))
                    .isInstanceOfAny(MalformedFileException.class, UnsupportedModelException.class)
                    .hasMessageStartingWith(path.toString())
                    .hasMessageMatching("(?s).{60,600}");
        } else if (expect.equals("accept")) {
            read(path, open);
        } else {
            assertThat(expect).isIn("either", "no-crash");
            try {
                read(path, open);
            } catch (PolluxException e) {
                assertThat(e).hasMessageStartingWith(path.toString());
            }
        }
        assertThat(OpenHandle.open()).hasSize(before);
    }

    private static void read(Path path, Function<Path, TensorFile> open) {
        try (TensorFile file = open.apply(path)) {
            file.tensors().forEach((name, info) -> {
                assertThat(file.bytes(name, 0, (int) info.byteLength()).remaining())
                        .isEqualTo((int) info.byteLength());
                if (Dequantizer.canRead(info.type())) {
                    assertThat(file.floats(name)).hasSize((int) info.elements());
                }
            });
        }
    }
}
