package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import dev.pollux.internal.math.Float16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
class SafetensorsWriterTest {

    private static final List<DType> TYPES = List.of(DType.F32, DType.F16, DType.BF16);

    @TempDir
    Path folder;

    private static float rounded(DType type, float value) {
        return switch (type) {
            case F16 -> Float16.toFloat(Float16.fromFloat(value));
            case BF16 -> Float16.fromBfloat16(Float16.toBfloat16(value));
            default -> value;
        };
    }

    @Test
    void randomTensorsComeBackRoundedToTheirTypes() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 20; run++) {
            Path file = folder.resolve("weights-" + run);
            Map<String, List<Long>> shapes = new LinkedHashMap<>();
            Map<String, DType> types = new LinkedHashMap<>();
            Map<String, float[]> due = new LinkedHashMap<>();
            List<String> names = new ArrayList<>();
            for (int i = random.nextInt(5); i >= 0; i--) {
                names.add("größe.\"" + i + "\".weight");
            }
            try (SafetensorsWriter writer = SafetensorsWriter.create(file, names)) {
                long bytes = 0;
                for (String name : names.subList(0, 1 + random.nextInt(names.size()))) {
                    List<Long> shape = List.of((long) random.nextInt(4), 1L + random.nextInt(50_000));
                    DType type = TYPES.get(random.nextInt(3));
                    float[] values = new float[(int) (shape.get(0) * shape.get(1))];
                    float[] expected = new float[values.length];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) random.nextGaussian();
                        expected[i] = rounded(type, values[i]);
                    }
                    if (random.nextBoolean()) {
                        writer.put(name, type, shape, values);
                    } else {
                        writer.put(name, type, new HeldTensor(shape, values, name));
                    }
                    bytes += (long) values.length * type.blockBytes();
                    assertThat(writer.bytes()).as("seed %d, run %d", seed, run).isEqualTo(bytes);
                    shapes.put(name, shape);
                    types.put(name, type);
                    due.put(name, expected);
                }
                writer.finish();
                assertThat(writer.notices("adapter")).isEmpty();
            }
            try (SafetensorsFile read = SafetensorsFile.open(file)) {
                assertThat(read.metadata()).isEqualTo(Map.of("format", "pt"));
                assertThat(read.tensors().keySet()).isEqualTo(shapes.keySet());
                due.forEach((name, values) -> {
                    assertThat(read.info(name).type()).isEqualTo(types.get(name));
                    assertThat(read.info(name).shape()).isEqualTo(shapes.get(name));
                    assertThat(read.floats(name)).as("seed %d, %s", seed, name).isEqualTo(values);
                });
            }
        }
    }

    @Test
    void theHeaderHasRoomFor200BytesPerTensorAndEndsInBlanks() throws IOException {
        Path file = folder.resolve("weights");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of("a", "größe"))) {
            writer.put("a", DType.F16, List.of(2L), new float[] {1, -2});
            writer.finish();
        }
        int header = 616; // 3·200 + 3 ("a" in quotes) + 9 ("größe" in quotes, in UTF-8), rounded up to a multiple of 8
        String text =
                "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}";
        ByteBuffer due = ByteBuffer.allocate(8 + header + 4).order(ByteOrder.LITTLE_ENDIAN);
        due.putLong(header).put(text.getBytes(StandardCharsets.US_ASCII));
        due.put(" ".repeat(header - text.length()).getBytes(StandardCharsets.US_ASCII));
        due.putShort((short) 0x3c00).putShort((short) 0xc000);
        assertThat(Files.readAllBytes(file)).isEqualTo(due.array());
    }

    @Test
    void aFileIsReplaced() throws IOException {
        Path file = Files.write(folder.resolve("weights"), new byte[10_000]);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of())) {
            writer.finish();
        }
        assertThat(file).hasSize(8 + 200);
    }

    @Test
    void valuesThatAreNotFiniteAreNoted() {
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("weights"), List.of("a", "b"))) {
            writer.put("a", DType.F16, List.of(3L), new float[] {1, 1e6f, -1e6f});
            writer.put("b", DType.BF16, new HeldTensor(List.of(1L), new float[] {Float.NaN}, ""));
            assertThat(writer.notices("adapter"))
                    .containsExactly(
                            "the adapter holds 1 values that are not finite (NaN or infinite), in b; it will not compute",
                            "2 values of the adapter are too large for float16, which ends at 65504, and became infinite,"
                                    + " in a; write bfloat16 or float32");
        }
    }

    @Test
    void aSourceIsReadInPiecesOf65536() {
        HeldFile stored = new HeldFile().with("w", new float[140_000], 140_000);
        List<String> reads = new ArrayList<>();
        TensorSource source = new DerivedTensor() {
            @Override
            public TensorSource exact() {
                return new StoredTensor(stored, stored.info("w"), "w");
            }

            @Override
            public void read(long first, int count, float[] into, int at) {
                reads.add(count + " from " + first + " to " + at);
            }
        };
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("weights"), List.of("w"))) {
            writer.put("w", DType.F32, source);
        }
        assertThat(reads).containsExactly("65536 from 0 to 0", "65536 from 65536 to 0", "8928 from 131072 to 0");
    }

    @Test
    void aTensorThatWasNotAnnouncedMayNotFit() {
        String name = "x".repeat(200);
        String text = "{\"__metadata__\":{\"format\":\"pt\"},\"" + name
                + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("weights"), List.of())) {
            writer.put(name, DType.F32, List.of(1L), new float[1]);
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the header needs " + text.length() + " bytes but only 200 were kept for it");
        }
    }

    @Test
    void aHeaderThatFillsItsRoomIsWritten() {
        String rest =
                "{\"__metadata__\":{\"format\":\"pt\"},\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        String name = "x".repeat(200 - rest.length());
        Path file = folder.resolve("weights");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of())) {
            writer.put(name, DType.F32, List.of(1L), new float[] {7});
            writer.finish();
        }
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.floats(name)).containsExactly(7);
        }
    }

    @Test
    void aShapeWhoseProductOverflowsIsRefused() {
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("weights"), List.of("a"))) {
            assertThatThrownBy(() -> writer.put("a", DType.F32, List.of(1L << 40, 1L << 40), new float[0]))
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessage("long overflow");
        }
    }

    @Test
    void failuresToWriteNameTheirCauses() {
        Path file = folder.resolve("absent").resolve("weights");
        assertThatThrownBy(() -> SafetensorsWriter.create(file, List.of()))
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot write " + file + ": java.nio.file.NoSuchFileException: " + file);
        SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("weights"), List.of("a"));
        writer.close();
        assertThatThrownBy(writer::finish)
                .isInstanceOf(StorageException.class)
                .hasMessage(
                        "Cannot write the header of an adapter: java.nio.channels.ClosedChannelException; is the disk"
                                + " full?");
        assertThatThrownBy(() -> writer.put("a", DType.F32, List.of(1L), new float[1]))
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot write merged weights: java.nio.channels.ClosedChannelException; is the disk full?");
    }
}
