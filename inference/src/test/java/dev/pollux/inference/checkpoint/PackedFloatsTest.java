package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.SafetensorsBuilder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights in small floats. The literals were made with bitsandbytes 0.50 and transformers 5.24. */
class PackedFloatsTest {

    private static final String NF4_CODES = "7947a6e17686b8a98b51ca67afe2c9f656597793688b37ab5f56a0d6c21b35dd";
    private static final String FP4_CODES = "96c17e2a9e6e417664fa5791732d4639eee6196ce117c174e3e97b5e4da4cf55";
    private static final float[] NF4_MAP = {
        -1f,
        -0.6961928f,
        -0.52507305f,
        -0.3949175f,
        -0.28444138f,
        -0.18477343f,
        -0.091050036f,
        0f,
        0.0795803f,
        0.1609302f,
        0.2461123f,
        0.33791524f,
        0.44070983f,
        0.562617f,
        0.72295684f,
        1f
    };
    private static final float[] FP4_MAP = {
        0f,
        0.0052083335f,
        0.6666667f,
        1f,
        0.33333334f,
        0.5f,
        0.16666667f,
        0.25f,
        0f,
        -0.0052083335f,
        -0.6666667f,
        -1f,
        -0.33333334f,
        -0.5f,
        -0.16666667f,
        -0.25f
    };

    @TempDir
    Path temp;

    @Test
    void nf4IsRead() {
        float[] values =
                bitsAndBytes(nf4("{'quant_type': 'nf4', 'blocksize': 32, 'dtype': 'float32', 'shape': [2, 32]}")
                        .floats("m.weight.absmax", new float[] {2.436397f, 2.3256073f}, 2));
        assertThat(values).startsWith(0f, 0.39208987f, -0.6930122f, 0f);
        assertThat(values).endsWith(-0.918423f, -0.42971045f, 1.3084263f, 1.3084263f);
        assertThat(sum(values)).isCloseTo(10.40225139260292, within(1e-5));
    }

    @Test
    void fp4IsRead() {
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("m.weight", DType.U8, hex(FP4_CODES), 32, 1)
                .floats("m.weight.absmax", new float[] {2.436397f}, 1)
                .floats("m.weight.quant_map", FP4_MAP, 16);
        state(file, "fp4", "{'quant_type': 'fp4', 'blocksize': 64, 'dtype': 'float32', 'shape': [2, 32]}");
        float[] values = read(file, "{'quant_method': 'bitsandbytes'}", DType.PACKED_FP4);
        assertThat(values).startsWith(-0.012689568f, 0.40606618f, -0.81213236f, 0.012689568f);
        assertThat(sum(values)).isCloseTo(9.149178601801395, within(1e-5));
    }

    @Test
    void doublyQuantizedNf4IsRead() {
        float[] map = new float[256];
        map[0] = -0.99296874f;
        map[255] = 1;
        float[] values = bitsAndBytes(nf4("{'quant_type': 'nf4', 'blocksize': 32, 'dtype': 'float32', 'shape': [2, 32],"
                        + " 'nested_blocksize': 256, 'nested_dtype': 'float32', 'nested_offset': 2.381002187728882}")
                .tensor("m.weight.absmax", DType.U8, new byte[] {(byte) 255, 0}, 2)
                .floats("m.weight.nested_absmax", new float[] {0.055394888f}, 1)
                .floats("m.weight.nested_quant_map", map, 256));
        assertThat(values).startsWith(0f, 0.39208987f, -0.6930122f, 0f);
        assertThat(values).endsWith(-0.91857684f, -0.42978242f, 1.3086454f, 1.3086454f);
        assertThat(sum(values)).isCloseTo(10.402415454387665, within(1e-5));
    }

    @Test
    void aStateThatDoesNotFitIsNamed() {
        SafetensorsBuilder file = nf4("{'quant_type': 'nf4', 'blocksize': 32, 'shape': [2, 64]}")
                .floats("m.weight.absmax", new float[] {1, 1}, 2);
        assertThatThrownBy(() -> bitsAndBytes(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("m.weight: the shape [2.0, 64.0] does not fit 32 bytes of two elements each; the file is"
                        + " damaged, download it again");
        SafetensorsBuilder broken = nf4("{'quant_type'").floats("m.weight.absmax", new float[] {1, 1}, 2);
        assertThatThrownBy(() -> bitsAndBytes(broken))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("m.weight.quant_state.bitsandbytes__nf4 is not JSON: ");
        SafetensorsBuilder few = nf4("{'quant_type': 'nf4', 'blocksize': 32, 'shape': [2, 32]}")
                .floats("m.weight.absmax", new float[] {1}, 1);
        assertThatThrownBy(() -> bitsAndBytes(few))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("m.weight.absmax must have 2 elements but has 1; the file is damaged, download it again");
    }

    @Test
    void expertsInMxfp4AreShownOneByOneWithGateAndUpApart() {
        byte[] codes = hex("1da0b00921eff7bcd8370bd48a70d04c442c2cfb139078e2a7b2c123adf23401");
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("x.experts.gate_up_proj_blocks", DType.U8, codes, 1, 2, 1, 16)
                .tensor("x.experts.gate_up_proj_scales", DType.U8, new byte[] {126, (byte) 128}, 1, 2, 1)
                .floats("x.experts.gate_up_proj_bias", new float[] {5, 6}, 1, 2);
        try (SafetensorsFile file = SafetensorsFile.open(builder.write(temp.resolve("mx.safetensors")))) {
            PackedTensors packed = new PackedTensors(file, settings("{'quant_method': 'mxfp4'}"));
            assertThat(packed.tensors())
                    .containsOnlyKeys(
                            "x.experts.0.gate_proj.weight",
                            "x.experts.0.gate_proj.bias",
                            "x.experts.0.up_proj.weight",
                            "x.experts.0.up_proj.bias");
            assertThat(packed.info("x.experts.0.gate_proj.weight").type()).isEqualTo(DType.MXFP4);
            assertThat(packed.floats("x.experts.0.gate_proj.weight"))
                    .containsExactly(
                            -1.5f, 0.25f, 0f, -0.5f, 0f, -0.75f, -0.25f, 0f, 0.25f, 0.5f, -3f, -2f, 3f, -3f, -1f,
                            -0.75f, 0f, -1.5f, 3f, 0.75f, -0.75f, 0f, 1f, -1.5f, -0.5f, 0f, 0f, 3f, 0f, -1.5f, -1f, 1f);
            assertThat(packed.floats("x.experts.0.up_proj.weight"))
                    .startsWith(4f, 4f, -4f, 2f, -4f, 2f, -3f, -12f)
                    .endsWith(4f, 3f, 1f, 0f);
            assertThat(packed.floats("x.experts.0.gate_proj.bias")).containsExactly(5f);
            assertThat(packed.floats("x.experts.0.up_proj.bias")).containsExactly(6f);
        }
    }

    @Test
    void expertsOfAnotherShapeAreNamed() {
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("x.experts.down_proj_blocks", DType.U8, new byte[16], 1, 1, 2, 8)
                .tensor("x.experts.down_proj_scales", DType.U8, new byte[2], 1, 1, 2);
        try (SafetensorsFile file = SafetensorsFile.open(builder.write(temp.resolve("mx.safetensors")))) {
            Settings settings = settings("{'quant_method': 'mxfp4'}");
            assertThatThrownBy(() -> new PackedTensors(file, settings))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage("x.experts.down_proj_blocks must be U8 [experts, rows, groups, 16] of at most 4096"
                            + " experts but is U8 [1, 1, 2, 8]");
        }
    }

    /** Rows 0…2 share a tile of two rows with none, columns 0…31 one and 32…63 another. */
    @Test
    void float8IsReadWithAScaleForEachTile() {
        byte[] ones = new byte[3 * 64];
        Arrays.fill(ones, (byte) 0x38);
        ones[1] = 0x7e;
        ones[2] = (byte) 0xb9;
        ones[3] = 0x07;
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("m.weight", DType.F8_E4M3, ones, 3, 64)
                .floats("m.weight_scale_inv", new float[] {2, 4, 8, 16}, 2, 2);
        float[] values = read(builder, "{'quant_method': 'fp8', 'weight_block_size': [2, 32]}", DType.PACKED_FP8);
        assertThat(values).startsWith(2, 896, -2.25f, 0.02734375f, 2);
        assertThat(new float[] {values[31], values[32], values[64], values[128], values[191]})
                .containsExactly(2, 4, 2, 8, 16);
        SafetensorsBuilder wrong = builder.floats("m.weight_scale_inv", new float[] {2, 4}, 1, 2);
        assertThatThrownBy(() -> read(wrong, "{'quant_method': 'fp8', 'weight_block_size': [2, 32]}", DType.PACKED_FP8))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "m.weight_scale_inv must hold a scale for each of 3 rows or for each tile of 2 × 32, [2, 2],"
                                + " but is [1, 2]; the file is damaged, download it again");
    }

    @Test
    void float8IsReadWithOneScaleAndWithOneForEachRow() {
        byte[] ones = new byte[2 * 32];
        Arrays.fill(ones, (byte) 0x38);
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("m.weight", DType.F8_E4M3, ones, 2, 32)
                .floats("m.input_scale", new float[] {9})
                .floats("m.weight_scale", new float[] {3});
        assertThat(read(builder, "{'quant_method': 'fp8'}", DType.PACKED_FP8)).containsOnly(3f);
        builder.floats("m.weight_scale", new float[] {3, 5}, 2, 1);
        assertThat(read(builder, "{'quant_method': 'compressed-tensors'}", DType.PACKED_FP8))
                .startsWith(3f)
                .endsWith(5f);
    }

    private SafetensorsBuilder nf4(String state) {
        SafetensorsBuilder file = new SafetensorsBuilder()
                .tensor("m.weight", DType.U8, hex(NF4_CODES), 32, 1)
                .floats("m.weight.quant_map", NF4_MAP, 16);
        return state(file, "nf4", state);
    }

    private static SafetensorsBuilder state(SafetensorsBuilder file, String type, String json) {
        byte[] bytes = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return file.tensor("m.weight.quant_state.bitsandbytes__" + type, DType.U8, bytes, bytes.length);
    }

    private float[] bitsAndBytes(SafetensorsBuilder builder) {
        return read(builder, "{'quant_method': 'bitsandbytes'}", DType.PACKED_NF4);
    }

    private float[] read(SafetensorsBuilder builder, String config, DType type) {
        try (SafetensorsFile file = SafetensorsFile.open(builder.write(temp.resolve("m.safetensors")))) {
            PackedTensors packed = new PackedTensors(file, settings(config));
            assertThat(packed.tensors()).containsOnlyKeys("m.weight");
            assertThat(packed.info("m.weight").type()).isEqualTo(type);
            return packed.floats("m.weight");
        }
    }

    private static Settings settings(String json) {
        return new Settings(Path.of("config.json"), JsonNode.parse(json.replace('\'', '"')));
    }

    private static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }
}
