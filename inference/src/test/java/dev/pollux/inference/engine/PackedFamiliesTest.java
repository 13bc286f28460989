package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reference checkpoints of every family with their matrices packed give, to the bit, the logits of the same checkpoints with
 * the packed numbers written out as floats.
 */
@NoLeaks
class PackedFamiliesTest {

    private static final String PACKED =
            ".*\\.(self_attn|attention|mlp|mixer|mamba|feed_forward|linear_attn|experts\\.\\d+"
                    + "|shared_experts?|conv)\\.([a-z_]+\\.)*[a-z0-9_]*(proj|proj_[a-z]+|w[123]|dense[a-z0-9_]*|query_key_value)[a-z_]*"
                    + "\\.weight";

    private static final float[] FP4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> packedMatricesGiveTheLogitsOfTheirNumbers() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    private void check(Path folder) throws IOException {
        for (boolean floats : new boolean[] {true, false}) {
            SafetensorsBuilder packed = new SafetensorsBuilder();
            SafetensorsBuilder plain = new SafetensorsBuilder();
            int matrices = 0;
            try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
                for (String name : tensors.tensors().keySet()) {
                    long[] shape = tensors.info(name).shape().stream()
                            .mapToLong(Long::longValue)
                            .toArray();
                    float[] values = tensors.floats(name);
                    if (name.matches(PACKED) && shape.length == 2 && shape[1] % 32 == 0) {
                        pack(packed, name, values, shape, floats);
                        matrices++;
                    } else {
                        packed.floats(name, values, shape);
                    }
                    plain.floats(name, values, shape);
                }
            }
            boolean stacked = json(folder.resolve("config.json"))
                    .path("architectures")
                    .toString()
                    .contains("GPT2");
            assertThat(matrices > 0 || stacked).as("matrices to pack").isTrue();
            String method = floats ? "fp8" : "bitsandbytes";
            float[] due = logits(folder, write(folder, method + ".plain", plain, ""));
            assertThat(logits(folder, write(folder, method, packed, method))).isEqualTo(due);
        }
    }

    /** Experts in MXFP4, of the layout of gpt-oss, of random codes. */
    @TestFactory
    Stream<DynamicTest> expertsInMxfp4GiveTheLogitsOfTheirNumbers() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .filter(folder -> json(folder.resolve("config.json"))
                        .path("architectures")
                        .toString()
                        .contains("GptOss"))
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> checkExperts(folder)));
    }

    private void checkExperts(Path folder) throws IOException {
        Random random = new Random(3);
        SafetensorsBuilder packed = new SafetensorsBuilder();
        SafetensorsBuilder plain = new SafetensorsBuilder();
        try (SafetensorsFolder tensors = SafetensorsFolder.open(folder)) {
            for (String name : tensors.tensors().keySet()) {
                long[] shape = tensors.info(name).shape().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                float[] values = tensors.floats(name);
                if (name.matches(".*\\.experts\\.(gate_up|down)_proj")) {
                    packExperts(packed, name, values, shape, random);
                } else {
                    packed.floats(name, values, shape);
                }
                plain.floats(name, values, shape);
            }
        }
        float[] due = logits(folder, write(folder, "mxfp4.plain", plain, ""));
        assertThat(logits(folder, write(folder, "mxfp4", packed, "mxfp4"))).isEqualTo(due);
    }

    /** (experts, in, out) as blocks (experts, out, in / 32, 16) and scales (experts, out, in / 32). */
    private static void packExperts(SafetensorsBuilder file, String name, float[] values, long[] shape, Random random) {
        int in = (int) shape[1];
        int out = (int) shape[2];
        byte[] blocks = new byte[values.length / 2];
        byte[] scales = new byte[values.length / 32];
        random.nextBytes(blocks);
        for (int row = 0; row < shape[0] * out; row++) { // experts and their rows
            for (int i = 0; i < in; i++) {
                int at = row * in + i;
                scales[at / 32] = (byte) (122 + at / 32 % 3);
                int code = blocks[at / 2] >> at % 2 * 4 & 15;
                float value = FP4[code & 7] * (code < 8 ? 1 : -1) * (float) Math.scalb(1.0, scales[at / 32] - 127);
                values[(row / out * in + i) * out + row % out] = value;
            }
        }
        file.tensor(name + "_blocks", DType.U8, blocks, shape[0], out, in / 32, 16);
        file.tensor(name + "_scales", DType.U8, scales, shape[0], out, in / 32);
    }

    /** Packs, and puts the packed numbers into {@code values}. */
    private static void pack(SafetensorsBuilder file, String name, float[] values, long[] shape, boolean floats) {
        int columns = (int) shape[1];
        byte[] codes = new byte[values.length];
        float[] scales = new float[(int) shape[0]];
        for (int row = 0; row < scales.length; row++) {
            float most = 1e-6f;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                most = Math.max(most, Math.abs(values[i]));
            }
            float scale = floats ? most / 8 : (float) (most * (1.0 / 127));
            scales[row] = floats ? scale : most;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                int code = Math.round(values[i] / scale);
                codes[i] = (byte) (floats ? eighth(Math.max(-8, Math.min(8, code))) : code);
                values[i] = (floats ? Math.max(-8, Math.min(8, code)) : code) * scale;
            }
        }
        String at = name.substring(0, name.length() - "weight".length());
        file.tensor(name, floats ? DType.F8_E4M3 : DType.I8, codes, shape);
        if (floats) {
            file.floats(at + "weight_scale", scales, shape[0], 1);
        } else {
            file.floats(at + "SCB", scales, shape[0]);
        }
    }

    /** A whole number in [−8, 8] as an 8-bit float, E4M3. */
    private static int eighth(int number) {
        int magnitude = Math.abs(number);
        int bits = 0;
        if (magnitude > 0) {
            int exponent = 31 - Integer.numberOfLeadingZeros(magnitude);
            bits = exponent + 7 << 3 | (magnitude << 3 >> exponent) & 7;
        }
        return number < 0 ? bits | 0x80 : bits;
    }

    private Path write(Path folder, String name, SafetensorsBuilder tensors, String method) throws IOException {
        Path model = Files.createDirectories(temp.resolve(folder.getFileName() + "." + name));
        ObjectNode config = (ObjectNode) json(folder.resolve("config.json"));
        if (!method.isEmpty()) {
            config.putObject("quantization_config").put("quant_method", method);
        }
        Files.writeString(model.resolve("config.json"), config.toString());
        tensors.write(model.resolve("model.safetensors"));
        return model;
    }

    private static float[] logits(Path folder, Path model) {
        Path target = model.resolveSibling(model.getFileName() + ".onnx");
        ExportOptions options =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, target, options).run();
        }
        JsonNode prompt = json(folder.resolve("cases.json")).path("prompts").path(1);
        List<Integer> ids = new ArrayList<>();
        prompt.path("ids").forEach(id -> ids.add(id.asInt()));
        try (DecoderModel decoder = DecoderModel.open(
                        target, EngineOptions.builder().threads(1).build());
                DecoderSequence sequence = decoder.sequence()) {
            FloatBuffer all =
                    sequence.append(ids.stream().mapToInt(Integer::intValue).toArray());
            float[] logits = new float[all.remaining()];
            all.get(0, logits);
            return logits;
        }
    }

    private static JsonNode json(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
