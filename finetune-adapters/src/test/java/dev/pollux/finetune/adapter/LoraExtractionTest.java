package dev.pollux.finetune.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.job.Job;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Extracting adapters of small models whose difference is known. */
@NoLeaks
class LoraExtractionTest {

    private static final int WIDE = 24;
    private static final int TALL = 40;
    private static final int TRUE_RANK = 3;

    @TempDir
    Path temp;

    private final Random random = new Random(7);

    @BeforeEach
    void write() throws IOException {
        float[] q = gaussian(WIDE * WIDE);
        float[] up = gaussian(TALL * WIDE);
        float[] bias = gaussian(WIDE);
        write("base", q, up, bias);
        float[] moved = bias.clone();
        moved[3] += 0.5f;
        write("tuned", q, plusLowRank(up), moved);
    }

    private float[] gaussian(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private float[] plusLowRank(float[] matrix) {
        float[] left = gaussian(TALL * TRUE_RANK);
        float[] right = gaussian(TRUE_RANK * WIDE);
        float[] sum = matrix.clone();
        for (int i = 0; i < TALL; i++) {
            for (int j = 0; j < WIDE; j++) {
                for (int k = 0; k < TRUE_RANK; k++) {
                    sum[i * WIDE + j] += left[i * TRUE_RANK + k] * right[k * WIDE + j];
                }
            }
        }
        return sum;
    }

    private void write(String name, float[] q, float[] up, float[] bias) throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.tensor("model.embed_tokens.weight", DType.F32, bytes(new float[8 * WIDE]), 8, WIDE);
        file.tensor("model.layers.0.self_attn.q_proj.weight", DType.F32, bytes(q), WIDE, WIDE);
        file.tensor("model.layers.0.self_attn.q_proj.bias", DType.F32, bytes(bias), WIDE);
        file.tensor("model.layers.0.mlp.up_proj.weight", DType.F32, bytes(up), TALL, WIDE);
        file.tensor("model.layers.0.mlp.up_proj.bias", DType.F32, bytes(new float[TALL]), TALL);
        file.tensor("model.norm.weight", DType.F32, bytes(new float[WIDE]), WIDE);
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private LoraExtractionReport extract(LoraExtractionOptions options) {
        return LoraExtraction.in(temp, options)
                .extract("base", "tuned", temp.resolve("adapter"))
                .run();
    }

    @Test
    void aChangeOfLowRankIsKeptWholly() {
        LoraExtractionReport report =
                extract(LoraExtractionOptions.builder().rank(TRUE_RANK).build());

        assertThat(report.relativeError()).isLessThan(1e-6);
        assertThat(matrix(report, "model.layers.0.mlp.up_proj").rank()).isEqualTo(TRUE_RANK);
        assertThat(report.folder().resolve("adapter_config.json")).isRegularFile();
    }

    @Test
    void theFewestSingularValuesAreKeptThatHoldTheEnergy() {
        LoraExtractionReport whole = extract(LoraExtractionOptions.DEFAULTS);
        List<Double> values = matrix(whole, "model.layers.0.mlp.up_proj").singularValues();
        double all = values.stream().mapToDouble(v -> v * v).sum();
        double first = values.get(0) * values.get(0) / all;

        LoraExtractionReport one = LoraExtraction.in(
                        temp,
                        LoraExtractionOptions.builder().keptEnergy(first * 0.99).build())
                .extract("base", "tuned", temp.resolve("one"))
                .run();
        LoraExtractionReport two = LoraExtraction.in(
                        temp,
                        LoraExtractionOptions.builder().keptEnergy(first * 1.01).build())
                .extract("base", "tuned", temp.resolve("two"))
                .run();

        assertThat(matrix(one, "model.layers.0.mlp.up_proj").rank()).isEqualTo(1);
        assertThat(matrix(two, "model.layers.0.mlp.up_proj").rank()).isEqualTo(2);
    }

    @Test
    void aMatrixWithoutAChangeHasNoPartInTheAdapter() {
        LoraExtractionReport report = extract(LoraExtractionOptions.builder()
                .rank(4)
                .include(List.of("q_proj", "up_proj"))
                .build());

        assertThat(matrix(report, "model.layers.0.self_attn.q_proj").rank()).isZero();
        try (SafetensorsFile adapter = SafetensorsFile.open(report.folder().resolve("adapter_model.safetensors"))) {
            assertThat(adapter.tensors())
                    .containsOnlyKeys(
                            "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight",
                            "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight");
        }
        assertThat(report.left()).contains("model.norm.weight", "model.embed_tokens.weight");
    }

    @Test
    void anAlphaOfOnesOwnGivesTheSameChange() {
        LoraExtractionReport report = extract(
                LoraExtractionOptions.builder().rank(TRUE_RANK).alpha(17).build());

        assertThat(JsonFile.object(report.folder().resolve("adapter_config.json"))
                        .orElseThrow()
                        .path("lora_alpha")
                        .asInt())
                .isEqualTo(17);
        try (InputModel merged = InputModel.open(dev.pollux.merging.ModelReference.parse("base+adapter"), temp);
                InputModel tuned = InputModel.open(dev.pollux.merging.ModelReference.parse("tuned"), temp)) {
            float[] due = values(tuned, "model.layers.0.mlp.up_proj.weight");
            float[] found = values(merged, "model.layers.0.mlp.up_proj.weight");
            for (int i = 0; i < due.length; i++) {
                assertThat(found[i]).isCloseTo(due[i], within(1e-5f));
            }
        }
    }

    private static float[] values(InputModel model, String name) {
        TensorSource source = model.tensor(name).orElseThrow().ready();
        float[] values = new float[(int) source.elements()];
        source.read(0, values.length, values, 0);
        return values;
    }

    @Test
    void aPreviewReadsHeadersAndWritesNothing() {
        LoraExtractionPreview preview = LoraExtraction.in(
                        temp, LoraExtractionOptions.builder().rank(30).build())
                .preview("base", "tuned");

        assertThat(preview.matrices())
                .containsExactly(
                        new LoraExtractionPreview.Matrix("model.layers.0.mlp.up_proj", TALL, WIDE, WIDE),
                        new LoraExtractionPreview.Matrix("model.layers.0.self_attn.q_proj", WIDE, WIDE, WIDE));
        assertThat(preview.whole()).containsExactly("lm_head.weight", "model.embed_tokens.weight", "model.norm.weight");
        assertThat(temp.resolve("adapter")).doesNotExist();
    }

    @Test
    void aCancelledExtractionLeavesNothing() throws IOException {
        Job<LoraExtractionReport> job = LoraExtraction.in(temp).extract("base", "tuned", temp.resolve("adapter"));
        job.onEvent(event -> job.cancel());

        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("base", "tuned");
        }
    }

    @Test
    void modelsOfDifferentShapesAreRefused() throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.tensor("model.norm.weight", DType.F32, bytes(new float[WIDE]), WIDE);
        Files.write(temp.resolve("tuned").resolve("model.safetensors"), file.toBytes());

        assertThatThrownBy(() -> LoraExtraction.in(temp).preview("base", "tuned"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("model tuned has no model.embed_tokens.weight, which base has; the two must have one"
                        + " architecture");
    }

    @Test
    void theBuilderHasTheDefaults() {
        assertThat(LoraExtractionOptions.builder().build()).isEqualTo(LoraExtractionOptions.DEFAULTS);
        assertThatThrownBy(() -> LoraExtractionOptions.builder().rank(0).build())
                .hasMessage("rank must be in [1, 65536] but was 0");
        assertThatThrownBy(() -> LoraExtractionOptions.builder().keptEnergy(0).build())
                .hasMessage("keptEnergy must be in (0, 1] but was 0.0");
        assertThatThrownBy(() ->
                        LoraExtractionOptions.builder().exclude(List.of("(")).build())
                .hasMessage("'(' is not a regular expression: Unclosed group");
    }

    private static LoraExtractionReport.Matrix matrix(LoraExtractionReport report, String module) {
        return report.matrices().stream()
                .filter(matrix -> matrix.module().equals(module))
                .findFirst()
                .orElseThrow();
    }
}
