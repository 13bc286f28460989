package dev.pollux.inference.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class InputGramsTest {

    private static final int ANY_WIDTH = 16_384;
    private static final long MEMORY = 1L << 30;
    /** Products of up to 40 tokens in 32-bit floats, relative to the largest. */
    private static final double ROUNDING = 1e-5;

    @TempDir
    Path temp;

    private EngineOptions options() {
        return EngineOptions.builder()
                .threads(1)
                .export(ExportOptions.builder().weights(WeightFormat.FLOAT).build())
                .cache(temp.resolve("cache"))
                .build();
    }

    private InputGrams open(Path model) {
        return InputGrams.of(model, ANY_WIDTH, options(), JobContext.NONE);
    }

    /** By the first matrix of each input. */
    private static Map<String, float[]> grams(InputGrams grams, long memory, int[]... texts) {
        Map<String, float[]> all = new LinkedHashMap<>();
        grams.over(
                List.of(texts),
                memory,
                (input, gram) -> all.put(input.matrices().get(0), gram),
                JobContext.NONE);
        return all;
    }

    private static int[] text(long seed, int length) {
        return new Random(seed).ints(length, 3, 250).toArray();
    }

    @TestFactory
    Stream<DynamicTest> everyFamilyGivesThemForItsMatrices() {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> check(folder)));
    }

    private void check(Path folder) {
        InputGrams grams = open(folder);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(InputGrams.inputs(
                            DecoderExport.projections(checkpoint, options().export()), ANY_WIDTH))
                    .isEqualTo(grams.inputs());
            Map<String, TensorInfo> stored = checkpoint.tensors().tensors();
            for (InputGrams.Input input : grams.inputs()) {
                for (String name : input.matrices()) {
                    if (stored.containsKey(name)) { // else it is stored turned or with others
                        assertThat(stored.get(name).shape()).as(name).hasSize(2).endsWith((long) input.width());
                    }
                }
            }
        }
        int[] one = text(1, 40);
        int[] other = text(2, 9);
        Map<String, float[]> both = grams(grams, MEMORY, one, other);
        assertThat(both).hasSameSizeAs(grams.inputs()).isNotEmpty();
        assertThat(InputGrams.passes(grams.inputs(), MEMORY)).isEqualTo(1);
        assertThat(InputGrams.passes(grams.inputs(), 1))
                .isEqualTo(grams.inputs().size());

        Map<String, float[]> apart = grams(grams, 1, one, other);
        Map<String, float[]> first = grams(grams, MEMORY, one);
        Map<String, float[]> second = grams(grams, MEMORY, other);
        for (InputGrams.Input input : grams.inputs()) {
            String name = input.matrices().get(0);
            float[] gram = both.get(name);
            assertThat(gram).as(name).hasSize(input.width() * input.width());
            float most = 0;
            for (int i = 0; i < input.width(); i++) {
                most = Math.max(most, gram[i * input.width() + i]);
            }
            assertThat(most).as(name).isPositive();
            for (int i = 0; i < gram.length; i++) {
                int mirrored = i % input.width() * input.width() + i / input.width();
                assertThat(gram[i]).isEqualTo(gram[mirrored]);
                float sum = first.get(name)[i] + second.get(name)[i];
                assertThat((double) gram[i]).as(name).isCloseTo(sum, within(ROUNDING * most));
                assertThat((double) apart.get(name)[i]).as(name).isCloseTo(gram[i], within(ROUNDING * most));
            }
        }
    }

    @Test
    void theFirstLayerReadsNormedEmbeddings() {
        Path folder = TinyDecoder.llama(1).write(temp);
        int[] ids = text(3, 30);
        float[] gram = grams(open(folder), MEMORY, ids).get("model.layers.0.self_attn.q_proj.weight");
        try (SafetensorsFolder file = SafetensorsFolder.open(folder)) {
            float[] table = file.floats("model.embed_tokens.weight");
            float[] norm = file.floats("model.layers.0.input_layernorm.weight");
            int width = norm.length;
            double[] due = new double[width * width];
            for (int id : ids) {
                double square = 0;
                for (int i = 0; i < width; i++) {
                    square += Math.pow(table[id * width + i], 2);
                }
                double scale = 1 / Math.sqrt(square / width + 1e-5);
                for (int i = 0; i < due.length; i++) {
                    double a = table[id * width + i / width] * scale * norm[i / width];
                    double b = table[id * width + i % width] * scale * norm[i % width];
                    due[i] += a * b;
                }
            }
            for (int i = 0; i < due.length; i++) {
                assertThat((double) gram[i]).isCloseTo(due[i], within(1e-3));
            }
        }
    }

    @Test
    void matricesThatShareAnInputShareItsProducts() {
        InputGrams grams = open(TinyDecoder.llama(1).write(temp));
        assertThat(grams.inputs().get(0).matrices())
                .containsExactly(
                        "model.layers.0.self_attn.q_proj.weight",
                        "model.layers.0.self_attn.k_proj.weight",
                        "model.layers.0.self_attn.v_proj.weight");
        assertThat(grams.inputs().get(1).matrices()).containsExactly("model.layers.0.self_attn.o_proj.weight");
        assertThat(grams.inputs().get(2).matrices())
                .containsExactly("model.layers.0.mlp.gate_proj.weight", "model.layers.0.mlp.up_proj.weight");
        assertThat(grams.inputs().get(3).matrices()).containsExactly("model.layers.0.mlp.down_proj.weight");
    }

    @Test
    void inputsThatAreTooWideAreLeftOut() {
        Path folder = TinyDecoder.llama(1).write(temp);
        InputGrams grams = InputGrams.of(folder, TinyDecoder.WIDTH, options(), JobContext.NONE);
        assertThat(grams.inputs()).hasSize(open(folder).inputs().size() * 3 / 4);
        assertThatThrownBy(() -> InputGrams.of(folder, 0, options(), JobContext.NONE))
                .hasMessage("mostWidth must be in [1, 16384] but was 0");
    }

    @Test
    void cancellingEndsARunThatIsRunning() {
        Path model = EmbeddedModel.named("smollm2-135m-instruct").unpack().run();
        InputGrams grams = InputGrams.of(model, ANY_WIDTH, EngineOptions.DEFAULTS, JobContext.NONE);
        List<String> finished = new ArrayList<>();
        Job<Integer> job = Job.of("read", context -> {
            grams.over(List.of(text(4, 4000)), MEMORY, (input, gram) -> finished.add(input.value()), context);
            return 1;
        });
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress) {
                CompletableFuture.delayedExecutor(500, TimeUnit.MILLISECONDS).execute(job::cancel);
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(finished).isEmpty();
    }
}
