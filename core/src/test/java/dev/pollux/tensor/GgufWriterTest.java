package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is read back by the strict reader of the same format. */
class GgufWriterTest {

    private static final List<DType> TYPES = List.of(DType.F32, DType.BF16, DType.Q8_0, DType.Q4_K, DType.I8);

    @TempDir
    Path folder;

    @Test
    void randomFilesComeBackWithMetadataTypesShapesAndBytes() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 20; run++) {
            Path file = folder.resolve(run + ".gguf");
            Map<String, GgufValue> metadata = metadata(random);
            List<GgufWriter.Tensor> tensors = tensors(random);
            Map<String, byte[]> due = new LinkedHashMap<>();
            try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
                for (GgufWriter.Tensor tensor : tensors) {
                    byte[] bytes = new byte[(int) tensor.bytes()];
                    random.nextBytes(bytes);
                    due.put(tensor.name(), bytes);
                    for (int at = 0; at < bytes.length; ) {
                        int some = Math.min(bytes.length - at, 1 + random.nextInt(3000));
                        writer.append(ByteBuffer.wrap(bytes, at, some));
                        at += some;
                    }
                }
                writer.finish();
            }
            try (GgufFile read = GgufFile.open(file)) {
                String run1 = "seed " + seed + ", run " + run;
                assertThat(read.version()).isEqualTo(3);
                assertThat(read.values()).as(run1).isEqualTo(metadata);
                assertThat(read.values().keySet()).as(run1).containsExactlyElementsOf(metadata.keySet());
                assertThat(read.tensors().keySet()).as(run1).containsExactlyElementsOf(due.keySet());
                for (GgufWriter.Tensor tensor : tensors) {
                    TensorInfo info = read.info(tensor.name());
                    assertThat(info.shape()).as(run1).isEqualTo(tensor.shape());
                    assertThat(info.type()).as(run1).isEqualTo(tensor.type());
                    byte[] bytes = new byte[(int) info.byteLength()];
                    read.bytes(tensor.name(), 0, bytes.length).get(bytes);
                    assertThat(bytes).as(run1).isEqualTo(due.get(tensor.name()));
                }
                assertThat(file).as(run1).hasSize(GgufWriter.size(metadata, tensors));
            }
        }
    }

    private static Map<String, GgufValue> metadata(Random random) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.string("größe"));
        if (random.nextBoolean()) {
            metadata.put("general.alignment", GgufValue.u32(1L << random.nextInt(9)));
        }
        metadata.put("a.u32", GgufValue.u32(random.nextInt() & 0xffffffffL));
        metadata.put("a.f32", GgufValue.f32(random.nextFloat()));
        metadata.put("a.bool", GgufValue.bool(random.nextBoolean()));
        metadata.put("a.strings", GgufValue.strings(List.of("", "▁a", "b\"")));
        metadata.put("a.i32s", GgufValue.i32s(List.of(random.nextInt(), -1)));
        metadata.put("a.f32s", GgufValue.f32s(List.of(random.nextFloat())));
        metadata.put("a.u8s", GgufValue.u8s(new byte[random.nextInt(5)]));
        return metadata;
    }

    private static List<GgufWriter.Tensor> tensors(Random random) {
        List<GgufWriter.Tensor> tensors = new ArrayList<>();
        for (int i = random.nextInt(5); i >= 0; i--) {
            DType type = TYPES.get(random.nextInt(TYPES.size()));
            long row = type.blockSize() * (1L + random.nextInt(3));
            List<List<Long>> shapes =
                    List.of(List.of(row), List.of((long) random.nextInt(4), row), List.of(2L, 1L, 3L, row));
            tensors.add(new GgufWriter.Tensor("tensor." + i, type, shapes.get(random.nextInt(3))));
        }
        return tensors;
    }

    @Test
    void valuesHaveTheTypesThatReadersExpect() {
        Path file = folder.resolve("a.gguf");
        try (GgufWriter writer = GgufWriter.create(
                file,
                Map.of("a", GgufValue.u32(4294967295L), "b", GgufValue.i32s(List.of(-7)), "c", GgufValue.f32(0.1)),
                List.of())) {
            writer.finish();
        }
        try (GgufFile read = GgufFile.open(file)) {
            assertThat(read.integer("a")).hasValue(4294967295L);
            assertThat(read.metadata().get("b")).isEqualTo(List.of(-7L));
            assertThat(read.metadata().get("c")).isEqualTo(0.1f);
        }
    }

    @Test
    void anExistingFileIsNotReplaced() throws IOException {
        Path file = Files.writeString(folder.resolve("a.gguf"), "mine");
        assertThatThrownBy(() -> GgufWriter.create(file, Map.of(), List.of()))
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot write " + file + ": java.nio.file.FileAlreadyExistsException: " + file);
        assertThat(file).hasContent("mine");
    }

    @Test
    void anIncompleteFileIsNotFinished() {
        GgufWriter.Tensor tensor = new GgufWriter.Tensor("a", DType.F32, List.of(3L));
        try (GgufWriter writer = GgufWriter.create(folder.resolve("a.gguf"), Map.of(), List.of(tensor))) {
            writer.append(ByteBuffer.allocate(8));
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("a lacks 4 bytes");
            assertThatThrownBy(() -> writer.append(ByteBuffer.allocate(5)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("5 bytes are more than the 4 that a still needs");
        }
    }

    @Test
    void tensorsThatTheFormatDoesNotHaveAreRefused() {
        assertThatThrownBy(() -> new GgufWriter.Tensor("a", DType.U64, List.of(1L)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("type of a must be one of GGUF but was U64");
        assertThatThrownBy(() -> new GgufWriter.Tensor("a", DType.F32, List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a must have 1 to 4 dimensions but is []");
        assertThatThrownBy(() -> new GgufWriter.Tensor("a", DType.Q4_K, List.of(2L, 128L)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a has rows of 128, which must be a multiple of 256, the block of Q4_K");
        GgufWriter.Tensor twice = new GgufWriter.Tensor("a", DType.F32, List.of(1L));
        assertThatThrownBy(() -> GgufWriter.size(Map.of(), List.of(twice, twice)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tensor a occurs twice; write it once");
    }
}
