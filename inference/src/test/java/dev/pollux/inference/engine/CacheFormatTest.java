package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.CacheFormat;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.graph.Value;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Formats and extents of the cache, of all families. */
@NoLeaks
class CacheFormatTest {

    /** The share of a logit's range that rounding keys, values, queries and angles to 11 bits may move. */
    private static final double HALF = 0.01;

    /** Sums in another order, as a share of the range. */
    private static final double ROUNDING = 1e-4;

    private static final int CONTEXT = 2048;

    private final long seed = new Random().nextLong();

    @TempDir
    private Path temp;

    static List<String> variants() {
        return FormulaModel.names();
    }

    static List<String> windows() throws IOException {
        List<String> found = new ArrayList<>();
        for (String variant : variants()) {
            if (FormulaModel.read(variant).window() > 0) {
                found.add(variant);
            }
        }
        return found;
    }

    @ParameterizedTest
    @MethodSource("variants")
    void halfPrecisionIsNear(String variant) throws IOException {
        FormulaModel formula = FormulaModel.read(variant);
        Path model = temp.resolve("model");
        formula.write(model);
        int[] prompt = formula.prompt();
        compare(model, prompt, ExportOptions.builder().cache(CacheFormat.FLOAT16), HALF, prompt.length);
    }

    /** Each family whose layers have a window, with a context that is longer. */
    @ParameterizedTest
    @MethodSource("windows")
    void aWindowIsTheWholeCache(String variant) throws IOException {
        FormulaModel formula = FormulaModel.read(variant);
        Path model = temp.resolve("model");
        formula.write(model);
        Path config = model.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceAll("\"max_position_embeddings\" *: *\\d+", "\"max_position_embeddings\": " + CONTEXT));
        int[] prompt = formula.prompt();
        int[] tokens = new int[900];
        Random random = new Random(seed);
        Arrays.setAll(tokens, i -> prompt[random.nextInt(prompt.length)]);
        compare(model, tokens, ExportOptions.builder(), ROUNDING, 24);
    }

    /** Compares an export with one of a whole cache in 32-bit floats, at the last tokens of a text. */
    private void compare(Path folder, int[] tokens, ExportOptions.Builder form, double tolerance, int last) {
        ExportOptions own = form.weights(WeightFormat.FLOAT).build();
        ExportOptions whole = ExportOptions.builder()
                .weights(WeightFormat.FLOAT)
                .wholeCache(true)
                .build();
        Path target = temp.resolve("own");
        Path reference = temp.resolve("due");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            if (own.cache() == CacheFormat.FLOAT32) {
                List<String> inputs = DecoderExport.graph(checkpoint, own).inputs().stream()
                        .map(Value::name)
                        .toList();
                assumeTrue(inputs.contains("window_seqlens_k"), "no layer has its window");
            }
            DecoderExport.export(checkpoint, target, own).run();
            DecoderExport.export(checkpoint, reference, whole).run();
        }
        EngineOptions engine = EngineOptions.builder().threads(1).build();
        try (DecoderModel actual = DecoderModel.open(target, engine);
                DecoderModel due = DecoderModel.open(reference, engine);
                DecoderSequence one = actual.sequence();
                DecoderSequence other = due.sequence()) {
            int begin = tokens.length - last;
            if (begin > 0) {
                one.append(Arrays.copyOf(tokens, begin));
                other.append(Arrays.copyOf(tokens, begin));
            }
            for (int i = begin; i < tokens.length; i++) {
                near(
                        TinyDecoders.copy(one.append(tokens[i])),
                        TinyDecoders.copy(other.append(tokens[i])),
                        tolerance,
                        i);
            }
        }
    }

    private void near(float[] actual, float[] due, double tolerance, int position) {
        float least = Float.MAX_VALUE;
        float most = -Float.MAX_VALUE;
        for (float logit : due) {
            least = Math.min(least, logit);
            most = Math.max(most, logit);
        }
        for (int i = 0; i < due.length; i++) {
            assertThat((double) Math.abs(actual[i] - due[i]) / (most - least))
                    .as("seed %d, position %d, token %d", seed, position, i)
                    .isLessThan(tolerance);
        }
    }

    private EngineOptions.Builder options(CacheFormat format) {
        return EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .export(ExportOptions.builder()
                        .weights(WeightFormat.BITS_8)
                        .blockSize(16)
                        .cache(format)
                        .build());
    }

    @Test
    void halfPrecisionTakesHalfTheMemory() {
        Path folder = TinyDecoder.llama(1).write(temp.resolve("model"));
        List<Long> sizes = new ArrayList<>();
        for (CacheFormat format : CacheFormat.values()) {
            try (OnnxGenerator generator =
                    OnnxGenerator.open(folder, options(format).maxBytes(1 << 20).build())) {
                generator.generate(
                        Prompt.text("A text of more than sixteen tokens."),
                        GenerationOptions.builder().maxTokens(2).build());
                sizes.add(generator.model().bytes(100));
                sizes.add(generator.prefixes().bytes());
            }
        }
        int row = 2 * TinyDecoder.LAYERS * TinyDecoder.HEAD;
        assertThat(sizes).containsExactly(100L * row * 4, 32L * row * 4, 100L * row * 2, 32L * row * 2);
    }

    @Test
    void halfPrecisionIsForTheCpu() {
        Path folder = TinyDecoder.llama(1).write(temp.resolve("model"));
        EngineOptions cuda = options(CacheFormat.FLOAT16)
                .device(new Device(Device.Provider.CUDA, 0))
                .build();
        assertThatThrownBy(() -> OnnxGenerator.open(folder, cuda))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(
                        "model.onnx has keys and values of FLOAT16, which the engine appends in place on the"
                                + " CPU only, but the device is CUDA; export the model with keys and values in 32-bit floats");
    }

    /** Stored prefixes, shared steps and a file of prefixes change no token. */
    @Test
    void outputsInHalfPrecisionDependOnTheirRequestAlone() throws Exception {
        Path folder = TinyDecoder.llama(2).write(temp.resolve("model"));
        GenerationOptions settings = GenerationOptions.builder().maxTokens(40).build();
        List<Prompt> prompts = new ArrayList<>();
        for (String end : List.of("one", "two", "three, and so on", "")) {
            prompts.add(Prompt.text("Answer from the passages and say which one it was. ".repeat(2) + end));
        }
        List<List<Integer>> due = new ArrayList<>();
        EngineOptions alone =
                options(CacheFormat.FLOAT16).idleSequences(0).prefixBytes(0).build();
        boolean even;
        try (OnnxGenerator generator = OnnxGenerator.open(folder, alone)) {
            even = generator.model().isEven(generator.model().scope());
            prompts.forEach(
                    prompt -> due.add(generator.generate(prompt, settings).tokens()));
        }
        Path file = temp.resolve("prefixes");
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Generation> answers = new ArrayList<>();
        try (OnnxGenerator generator =
                OnnxGenerator.open(folder, options(CacheFormat.FLOAT16).build())) {
            for (Prompt prompt : prompts) {
                Generation answer = generator.generate(prompt, settings);
                assertThat(answer.tokens()).isEqualTo(due.get(answers.size()));
                answers.add(answer);
            }
            generator.prefixes().save(file);
        }
        try (OnnxGenerator generator = OnnxGenerator.open(
                folder,
                options(CacheFormat.FLOAT16).sequences(3).drafting(false).build())) {
            assertThat(generator.prefixes().load(file)).isPositive();
            List<Callable<List<Integer>>> tasks = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                Prompt prompt = prompts.get(i % prompts.size());
                tasks.add(() -> generator.generate(prompt, settings).tokens());
            }
            List<Future<List<Integer>>> all = threads.invokeAll(tasks);
            for (int i = 4; even && i < all.size(); i++) {
                assertThat(all.get(i).get()).isEqualTo(all.get(i % 4).get());
            }
            for (Future<List<Integer>> one : all) {
                assertThat(one.get()).hasSizeGreaterThan(0);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
