package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.Float16;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.SafetensorsBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Published 4-bit matrices, packed here as their formats say, are read as (code − zero) · scale. */
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
                zeros[r][g] = symmetric ? 8 : 1 + random.nextInt(15);
                scales[r][g] = Float16.toFloat(Float16.fromFloat(0.01f + random.nextFloat()));
            }
        }
    }

    @Test
    void symmetricGptqIsQ40CodeByCode() {
        fill(true);
        check(gptq(1), "{\"quant_method\": \"gptq\", \"bits\": 4}", DType.Q4_0, 0);
    }

    @Test
    void gptqWithZerosIsQ41InBothVersionsOfItsFormat() {
        fill(false);
        check(gptq(1), "{\"quant_method\": \"gptq\", \"bits\": 4}", DType.Q4_1, 1e-2);
        String second = "{\"quant_method\": \"gptq\", \"bits\": 4, \"checkpoint_format\": \"gptq_v2\"}";
        check(gptq(0), second, DType.Q4_1, 1e-2);
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
        check(withScales(file), "{\"quant_method\": \"awq\", \"bits\": 4}", DType.Q4_1, 1e-2);
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
        check(file, "{\"quant_method\": \"compressed-tensors\"}", DType.Q4_0, 0);
    }

    @Test
    void groupsInTheOrderOfActivationAreRefused() {
        fill(true);
        int[] order = new int[COLUMNS];
        order[0] = 1;
        Path path = gptq(1).tensor("m.g_idx", DType.I32, bytes(order), COLUMNS).write(temp.resolve("m.safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThatThrownBy(() -> new PackedTensors(file, settings("{\"quant_method\": \"gptq\"}")))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage("m.g_idx: groups in the order of activation (desc_act) are not supported; use a model"
                            + " quantized without it, or a GGUF file");
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

    private void check(SafetensorsBuilder builder, String config, DType type, double tolerance) {
        Path path = builder.floats("m.bias", new float[] {1, 2}, 2)
                .write(temp.resolve(random.nextInt(1 << 30) + ".safetensors"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            PackedTensors packed = new PackedTensors(file, settings(config));
            assertThat(packed.tensors()).containsOnlyKeys("m.weight", "m.bias");
            assertThat(packed.info("m.weight").type()).isEqualTo(type);
            float[] values = packed.floats("m.weight");
            for (int r = 0; r < ROWS; r++) {
                for (int c = 0; c < COLUMNS; c++) {
                    double due = (double) (codes[r][c] - zeros[r][c / GROUP]) * scales[r][c / GROUP];
                    assertThat((double) values[r * COLUMNS + c])
                            .as("row %d, column %d", r, c)
                            .isCloseTo(due, within(tolerance));
                }
            }
            ByteBuffer all =
                    packed.bytes("m.weight", 0, (int) packed.info("m.weight").byteLength());
            assertThat(packed.bytes("m.weight", 7, 31)).isEqualTo(all.slice(7, 31));
        }
    }

    private static Settings settings(String json) {
        return new Settings(Path.of("config.json"), JsonMapper.shared().readTree(json));
    }

    private static byte[] bytes(int[] words) {
        ByteBuffer bytes = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words);
        return bytes.array();
    }
}
