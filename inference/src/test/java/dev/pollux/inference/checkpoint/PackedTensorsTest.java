package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.SafetensorsBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Published integer matrices, packed here as their formats say, are read as (code − zero) · scale. */
class PackedTensorsTest {

    private static final int ROWS = 16;
    private static final int COLUMNS = 128;
    private static final int GROUP = 64;
    private static final int[] AWQ_ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    @TempDir
    Path temp;

    private final Random random = new Random(11);
    private final int[][] codes = new int[ROWS][COLUMNS];
    private final int[][] zeros = new int[ROWS][COLUMNS / GROUP];
    private final float[][] scales = new float[ROWS][COLUMNS / GROUP];

    private void fill(boolean symmetric) {
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                codes[r][c] = random.nextInt(16);
            }
            for (int g = 0; g < COLUMNS / GROUP; g++) {
                zeros[r][g] = symmetric ? 8 : 1 + random.nextInt(14);
                scales[r][g] = Float16.toFloat(Float16.fromFloat(0.01f + random.nextFloat()));
            }
        }
    }

    @Test
    void symmetricGptqIsReadCodeByCode() {
        fill(true);
        check(gptq(1), "{\"quant_method\": \"gptq\", \"bits\": 4}", DType.PACKED_INT4);
    }

    @Test
    void gptqWithZerosIsExactInEightBitsInBothVersionsOfItsFormat() {
        fill(false);
        check(gptq(1), "{\"quant_method\": \"gptq\", \"bits\": 4}", DType.PACKED_INT8);
        String second = "{\"quant_method\": \"gptq\", \"bits\": 4, \"checkpoint_format\": \"gptq_v2\"}";
        check(gptq(0), second, DType.PACKED_INT8);
    }

    @Test
    void awqIsRead() {
        fill(false);
        int[] words = new int[COLUMNS * ROWS / 8]; // [columns, rows / 8]
        int[] packedZeros = new int[COLUMNS / GROUP * ROWS / 8];
        for (int nibble = 0; nibble < 8; nibble++) {
            for (int r8 = 0; r8 < ROWS / 8; r8++) {
                int row = r8 * 8 + AWQ_ORDER[nibble];
                for (int c = 0; c < COLUMNS; c++) {
                    words[c * (ROWS / 8) + r8] |= codes[row][c] << nibble * 4;
                }
                for (int g = 0; g < COLUMNS / GROUP; g++) {
                    packedZeros[g * (ROWS / 8) + r8] |= zeros[row][g] << nibble * 4;
                }
            }
        }
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("m.qweight", DType.I32, bytes(words), COLUMNS, ROWS / 8)
                .tensor("m.qzeros", DType.I32, bytes(packedZeros), COLUMNS / GROUP, ROWS / 8);
        check(withScales(file), "{\"quant_method\": \"awq\", \"bits\": 4}", DType.PACKED_INT8);
    }

    @Test
    void compressedTensorsAreRead() {
        fill(true);
        int[] words = new int[ROWS * COLUMNS / 8]; // [rows, columns / 8]
        float[] flat = new float[ROWS * COLUMNS / GROUP];
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                words[r * (COLUMNS / 8) + c / 8] |= codes[r][c] << c % 8 * 4;
            }
            System.arraycopy(scales[r], 0, flat, r * (COLUMNS / GROUP), COLUMNS / GROUP);
        }
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("m.weight_packed", DType.I32, bytes(words), ROWS, COLUMNS / 8)
                .floats("m.weight_scale", flat, ROWS, COLUMNS / GROUP);
        check(file, "{\"quant_method\": \"compressed-tensors\"}", DType.PACKED_INT4);
    }

    @Test
    void compressedTensorsWithZerosAreRead() {
        fill(false);
        int[] words = new int[ROWS * COLUMNS / 8]; // [rows, columns / 8]
        int[] packedZeros = new int[ROWS / 8 * COLUMNS / GROUP]; // [rows / 8, groups]
        float[] flat = new float[ROWS * COLUMNS / GROUP];
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                words[r * (COLUMNS / 8) + c / 8] |= codes[r][c] << c % 8 * 4;
            }
            for (int g = 0; g < COLUMNS / GROUP; g++) {
                packedZeros[r / 8 * (COLUMNS / GROUP) + g] |= zeros[r][g] << r % 8 * 4;
                flat[r * (COLUMNS / GROUP) + g] = scales[r][g];
            }
        }
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("m.weight_packed", DType.I32, bytes(words), ROWS, COLUMNS / 8)
                .tensor("m.weight_zero_point", DType.I32, bytes(packedZeros), ROWS / 8, COLUMNS / GROUP)
                .floats("m.weight_scale", flat, ROWS, COLUMNS / GROUP);
        check(file, "{\"quant_method\": \"compressed-tensors\"}", DType.PACKED_INT8);
    }

    /** One row of two, three and eight bits: codes 0, 1, 2, … in a run of words, a zero of 2, scale a half. */
    @Test
    void gptqOfOtherWidthsIsRead() {
        for (int bits : new int[] {2, 3, 8}) {
            int[] words = new int[32 * bits / 32 * 32]; // [columns · bits / 32, rows]
            int[] packedZeros = new int[bits]; // [1, rows · bits / 32]
            int mask = (1 << bits) - 1;
            for (int c = 0; c < 32; c++) {
                long run = (long) (c & mask) << c * bits % 32;
                for (int r = 0; r < 32; r++) {
                    words[c * bits / 32 * 32 + r] |= (int) run;
                    if (run >>> 32 != 0) {
                        words[(c * bits / 32 + 1) * 32 + r] |= (int) (run >>> 32);
                    }
                }
                long zero = 1L << c * bits % 32; // stored less one
                packedZeros[c * bits / 32] |= (int) zero;
            }
            float[] halves = new float[32];
            Arrays.fill(halves, 0.5f);
            Path path = new SafetensorsBuilder()
                    .tensor("m.qweight", DType.I32, bytes(words), bits, 32)
                    .tensor("m.qzeros", DType.I32, bytes(packedZeros), 1, bits)
                    .floats("m.scales", halves, 1, 32)
                    .write(temp.resolve(bits + "bits.safetensors"));
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                PackedTensors packed =
                        new PackedTensors(file, settings("{\"quant_method\": \"gptq\", \"bits\": " + bits + "}"));
                assertThat(packed.info("m.weight").type())
                        .isEqualTo(bits == 8 ? DType.PACKED_INT16 : DType.PACKED_INT4);
                float[] values = packed.floats("m.weight");
                for (int i = 0; i < values.length; i++) {
                    assertThat(values[i]).as("%d bits, %d", bits, i).isEqualTo(((i % 32 & mask) - 2) * 0.5f);
                }
            }
        }
    }

    @Test
    void bytesWithAScaleForEachRowAreRead() {
        byte[] stored = new byte[2 * 32];
        stored[0] = -5;
        stored[1] = -27;
        stored[63] = 127;
        SafetensorsBuilder large = new SafetensorsBuilder()
                .tensor("m.weight", DType.I8, stored, 2, 32)
                .tensor("m.weight_format", DType.U8, new byte[1])
                .floats("m.SCB", new float[] {1.9863281f, 2.6269531f}, 2);
        float[] values = read(large, "{\"quant_method\": \"bitsandbytes\"}");
        assertThat(values[0]).isCloseTo(-0.0782019f, within(1e-7f));
        assertThat(values[1]).isCloseTo(-0.42229024f, within(1e-7f)); // the scale is divided first
        assertThat(values[63]).isCloseTo(2.6269531f, within(1e-6f));
        SafetensorsBuilder scaled = new SafetensorsBuilder()
                .tensor("m.weight", DType.I8, stored, 2, 32)
                .floats("m.weight_scale", new float[] {2, 0.5f}, 2, 1);
        assertThat(read(scaled, "{\"quant_method\": \"compressed-tensors\"}"))
                .startsWith(-10, -54)
                .endsWith(63.5f);
        SafetensorsBuilder zeroed = scaled.tensor("m.weight_zero_point", DType.I8, new byte[] {100, -128}, 2, 1);
        assertThat(read(zeroed, "{\"quant_method\": \"compressed-tensors\"}"))
                .startsWith(-210, -254)
                .endsWith(127.5f);
    }

    private float[] read(SafetensorsBuilder builder, String config) {
        Path path = builder.write(temp.resolve(random.nextInt(1 << 30) + ".safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            PackedTensors packed = new PackedTensors(file, settings(config));
            assertThat(packed.tensors()).containsOnlyKeys("m.weight");
            return packed.floats("m.weight");
        }
    }

    @Test
    void groupsInTheOrderOfActivationGiveTheirNumbers() {
        fill(false);
        int[] order = new int[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
            order[c] = (c * 7 + 3) % (COLUMNS / GROUP);
        }
        Path path = gptq(1).tensor("m.g_idx", DType.I32, bytes(order), COLUMNS).write(temp.resolve("m.safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            float[] values = new PackedTensors(file, settings("{\"quant_method\": \"gptq\"}")).floats("m.weight");
            for (int r = 0; r < ROWS; r++) {
                for (int c = 0; c < COLUMNS; c++) {
                    float due = (codes[r][c] - zeros[r][order[c]]) * scales[r][order[c]];
                    assertThat(values[r * COLUMNS + c]).as("%d %d", r, c).isCloseTo(due, within(3e-4f));
                }
            }
        }
        order[5] = COLUMNS / GROUP;
        Path damaged =
                gptq(1).tensor("m.g_idx", DType.I32, bytes(order), COLUMNS).write(temp.resolve("d.safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(damaged)) {
            assertThatThrownBy(() -> new PackedTensors(file, settings("{\"quant_method\": \"gptq\"}")))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "m.g_idx must hold groups in [0, 2) but holds 2; the file is damaged, download it again");
        }
    }

    @Test
    void partsOfAnotherShapeAreNamed() {
        fill(true);
        Path path = gptq(1).tensor("m.qzeros", DType.I32, new byte[4], 1, 1).write(temp.resolve("m.safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThatThrownBy(() -> new PackedTensors(file, settings("{\"quant_method\": \"gptq\"}")))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(
                            "m.qzeros must be of shape [2, 2] but is [1, 1]; the file is damaged, download it again");
        }
    }

    private SafetensorsBuilder gptq(int subtracted) {
        int[] words = new int[COLUMNS / 8 * ROWS]; // [columns / 8, rows]
        int[] packedZeros = new int[COLUMNS / GROUP * ROWS / 8];
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                words[c / 8 * ROWS + r] |= codes[r][c] << c % 8 * 4;
            }
            for (int g = 0; g < COLUMNS / GROUP; g++) {
                packedZeros[g * (ROWS / 8) + r / 8] |= zeros[r][g] - subtracted << r % 8 * 4;
            }
        }
        return withScales(new SafetensorsBuilder()
                .tensor("m.qweight", DType.I32, bytes(words), COLUMNS / 8, ROWS)
                .tensor("m.qzeros", DType.I32, bytes(packedZeros), COLUMNS / GROUP, ROWS / 8));
    }

    private SafetensorsBuilder withScales(SafetensorsBuilder file) {
        float[] flat = new float[COLUMNS / GROUP * ROWS]; // [groups, rows]
        for (int r = 0; r < ROWS; r++) {
            for (int g = 0; g < COLUMNS / GROUP; g++) {
                flat[g * ROWS + r] = scales[r][g];
            }
        }
        return file.floats("m.scales", flat, COLUMNS / GROUP, ROWS);
    }

    private void check(SafetensorsBuilder builder, String config, DType type) {
        Path path = builder.floats("m.bias", new float[] {1, 2}, 2)
                .write(temp.resolve(random.nextInt(1 << 30) + ".safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            PackedTensors packed = new PackedTensors(file, settings(config));
            assertThat(packed.tensors()).containsOnlyKeys("m.weight", "m.bias");
            assertThat(packed.info("m.weight").type()).isEqualTo(type);
            float[] values = packed.floats("m.weight");
            for (int r = 0; r < ROWS; r++) {
                for (int c = 0; c < COLUMNS; c++) {
                    float due = (codes[r][c] - zeros[r][c / GROUP]) * scales[r][c / GROUP];
                    assertThat(values[r * COLUMNS + c])
                            .as("row %d, column %d", r, c)
                            .isEqualTo(due);
                }
            }
            ByteBuffer all =
                    packed.bytes("m.weight", 0, (int) packed.info("m.weight").byteLength());
            assertThat(packed.bytes("m.weight", 7, 31)).isEqualTo(all.slice(7, 31));
        }
    }

    private static Settings settings(String json) {
        return new Settings(Path.of("config.json"), JsonNode.parse(json));
    }

    private static byte[] bytes(int[] words) {
        ByteBuffer bytes = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        return bytes.array();
    }
}
