package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.internal.OpenHandle;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TensorFileTest {

    private static final int FUZZ_RUNS = 2_000;

    @TempDir
    Path folder;

    @Test
    void ggufGivesBackWhatWasWritten() {
        Path path = gguf().write(folder.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.version()).isEqualTo(3);
            assertThat(file.string("general.name")).contains("tiny");
            assertThat(file.integer("a.count")).contains(7L);
            assertThat(file.integer("absent")).isEmpty();
            assertThat(file.number("a.rate")).contains(0.25);
            assertThat(file.array("a.numbers").orElseThrow()).isEqualTo(List.of(1f, -2f, 3f));
            assertThat(file.array("a.strings").orElseThrow()).isEqualTo(List.of("x", "", "ü"));
            assertThat(file.array("a.flags").orElseThrow()).isEqualTo(List.of(true, false));
            assertThat(file.info("t").shape()).containsExactly(2L, 3L);
            assertThat(file.floats("t")).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(file.floats("t", 2, 3)).containsExactly(3, 4, 5);
            assertThatThrownBy(() -> file.integer("general.name"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(path + ": general.name must be of type Long but was String");
        }
    }

    @Test
    void safetensorsGiveBackWhatWasWritten() {
        Path path = safetensors().write(folder.resolve("m.safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensors()).containsOnlyKeys("t", "s", "h");
            assertThat(file.floats("t")).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(file.info("s").shape()).isEmpty();
            assertThat(file.floats("s")).containsExactly(9);
            assertThat(file.floats("h")).containsExactly(1, -2);
        }
    }

    @Test
    void rangesOutsideATensorAreRefused() {
        Path path = gguf().write(folder.resolve("m.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertThatThrownBy(() -> file.bytes("t", 20, 5))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("bytes 20 to 25 are outside t, which has 24");
            assertThatThrownBy(() -> file.bytes("t", -1, 5)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.bytes("t", Long.MAX_VALUE, 5)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.floats("t", 4, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("elements 4 to 7 are outside t, which has 6");
            assertThatThrownBy(() -> file.floats("q", 16, 32))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("first and count must be multiples of 32, the block of Q8_0, but were 16 and 32");
            assertThatThrownBy(() -> file.info("u"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("No tensor 'u' among 2");
        }
    }

    @Test
    void aClosedFileIsRefusedButItsBuffersStayReadable() {
        int before = OpenHandle.open().size();
        Path path = gguf().write(folder.resolve("m.gguf"));
        GgufFile file = GgufFile.open(path);
        assertThat(OpenHandle.open()).hasSize(before + 1);
        ByteBuffer kept = file.bytes("t", 0, 24);
        file.close();
        file.close();
        assertThat(OpenHandle.open()).hasSize(before);
        assertThat(kept.getFloat(4)).isEqualTo(2);
        assertThat(kept.isReadOnly()).isTrue();
        assertThatThrownBy(() -> file.bytes("t", 0, 4))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(path + " is closed; open it again");
    }

    /** A channel that is used by an interrupted thread closes for all threads; a mapping does not. */
    @Test
    void anInterruptedReaderDoesNotCloseTheFileForOthers() {
        try (GgufFile file = GgufFile.open(gguf().write(folder.resolve("m.gguf")))) {
            Thread.currentThread().interrupt();
            assertThat(file.floats("t")).hasSize(6);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(file.floats("t")).hasSize(6);
        }
    }

    @Test
    void tensorsBeyondTwoGigabytesAreReadWhereTheyLie() throws IOException {
        long hole = 5L << 30;
        String json = "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + hole + "],\"data_offsets\":[0," + hole
                + "]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + hole + "," + (hole + 8) + "]}}";
        Path path = folder.resolve("large.safetensors");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) { // sparse: nearly nothing on disk
            ByteBuffer head =
                    ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, json.length());
            file.write(head.array());
            file.write(json.getBytes(StandardCharsets.US_ASCII));
            file.setLength(8 + json.length() + hole + 8);
            file.seek(8 + json.length() + hole);
            file.write(new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40});
            file.seek(8 + json.length() + (3L << 30) - 1);
            file.write(7);
        }
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.floats("b")).containsExactly(1, 2);
            assertThat(file.floats("a", (3L << 30) - 2, 3)).containsExactly(0, 7, 0);
            assertThat(file.bytes("a", (1L << 30) - 5, 1 << 30).remaining()).isEqualTo(1 << 30);
            assertThatThrownBy(() -> file.bytes("a", 0, (1 << 30) + 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("length must be at most 1073741824 but was 1073741825; read in pieces");
            assertThatThrownBy(() -> file.floats("a"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("a has " + hole + " elements, more than an array holds; read it in pieces");
            assertThatThrownBy(() -> file.info("a").dim(0))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("Dimension 0 of a must be at most 2147483647 but is 5368709120; use a smaller model");
        }
    }

    @Test
    void damageIsNamedWithItsPlaceAndRemedy() throws IOException {
        Path path = folder.resolve("m.gguf");
        Files.writeString(path, "GGML....");
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(path + " is not a valid GGUF file: it must begin with the letters GGUF; it is another kind"
                        + " of file (byte 4); download the file again");
        byte[] bytes = gguf().toBytes();
        Files.write(path, Arrays.copyOf(bytes, bytes.length - 64));
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageContaining(
                        "ends past the end of the file (" + (bytes.length - 64) + " bytes); it is truncated");
        Path other = folder.resolve("m.safetensors");
        byte[] whole = safetensors().toBytes();
        Files.write(other, Arrays.copyOf(whole, whole.length - 1));
        assertThatThrownBy(() -> SafetensorsFile.open(other))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(other + " is not a valid safetensors file: h ends past the end of the file; it is"
                        + " truncated; download the file again");
    }

    @Test
    void mutilatedGgufFilesOpenOrAreRefusedClearly() {
        fuzz(gguf().toBytes(), "fuzz.gguf", GgufFile::open);
    }

    @Test
    void mutilatedSafetensorsFilesOpenOrAreRefusedClearly() {
        fuzz(safetensors().toBytes(), "fuzz.safetensors", SafetensorsFile::open);
    }

    private void fuzz(byte[] valid, String name, Function<Path, TensorFile> opener) {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int before = OpenHandle.open().size();
        for (int run = 0; run < FUZZ_RUNS; run++) {
            byte[] damaged = valid.clone();
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                int at = random.nextInt(damaged.length);
                damaged[at] =
                        (byte) (random.nextBoolean() ? random.nextInt(256) : damaged[at] ^ 1 << random.nextInt(8));
            }
            if (random.nextInt(4) == 0) {
                damaged = Arrays.copyOf(damaged, random.nextInt(damaged.length + 1));
            }
            try {
                open(name, damaged, opener);
            } catch (PolluxException e) {
                assertThat(e).as("seed %d, run %d", seed, run).hasMessageContaining(name);
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed + ", run " + run, e);
            }
        }
        assertThat(OpenHandle.open()).as("seed %d", seed).hasSize(before);
    }

    private void open(String name, byte[] bytes, Function<Path, TensorFile> opener) {
        Path path = folder.resolve(name);
        try {
            Files.deleteIfExists(path); // truncating a file with live mappings is slow
            Files.write(path, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (TensorFile file = opener.apply(path)) {
            file.tensors().forEach((tensor, info) -> {
                if (Dequantizer.canRead(info.type())) {
                    assertThat(file.floats(tensor)).hasSize((int) info.elements());
                }
            });
        }
    }

    private static GgufBuilder gguf() {
        return new GgufBuilder()
                .put("general.name", "tiny")
                .put("a.count", 7)
                .put("a.rate", 0.25f)
                .put("a.numbers", List.of(1f, -2f, 3f))
                .put("a.strings", List.of("x", "", "ü"))
                .put("a.flags", List.of(true, false))
                .floats("t", new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
                .tensor("q", DType.Q8_0, new byte[3 * 34], 3, 32);
    }

    private static SafetensorsBuilder safetensors() {
        return new SafetensorsBuilder()
                .floats("t", new float[] {1, 2, 3, 4, 5, 6}, 2, 3)
                .floats("s", new float[] {9})
                .tensor("h", DType.F16, new byte[] {0, 0x3c, 0, (byte) 0xc0}, 2);
    }
}
