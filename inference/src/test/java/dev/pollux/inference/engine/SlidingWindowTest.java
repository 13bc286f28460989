package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.TokenLogProbability;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
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

/**
 * Layers with a sliding window keep what the window reaches, and give what the whole cache gives.
 *
 * <p>The models have a window of {@value #WINDOW} tokens, so that rows are dropped before the tokens {@value #FIRST_DROP}, then
 * after each 512.
 */
@NoLeaks
class SlidingWindowTest {

    private static final int CONTEXT = 4096;
    private static final int WINDOW = 20;
    private static final int FIRST_DROP = 768;

    /** Two ways of adding up the same float products; the logits are about 1. */
    private static final double ROUNDING = 1e-4;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    private EngineOptions.Builder options(WeightFormat weights, boolean whole) {
        return EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .export(ExportOptions.builder()
                        .weights(weights)
                        .blockSize(16)
                        .wholeCache(whole)
                        .build());
    }

    /** Both layers with a window. */
    private Path mistral() {
        return write(TinyDecoder.of("MistralForCausalLM", "mistral", 3), "\"sliding_window\": " + WINDOW);
    }

    /** The first layer with a window, with norms of queries and keys. */
    private Path qwen() {
        return write(
                TinyDecoder.of("Qwen3ForCausalLM", "qwen3", 3),
                "\"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\", \"full_attention\"], \"sliding_window\": "
                        + WINDOW);
    }

    private Path write(TinyDecoder decoder, String settings) {
        Path folder = decoder.write(temp.resolve("model"));
        Path config = folder.resolve("config.json");
        try {
            String text = Files.readString(config)
                    .replace("\"max_position_embeddings\": 256", "\"max_position_embeddings\": " + CONTEXT)
                    .replace("\"rms_norm_eps\"", settings + ", \"rms_norm_eps\"");
            Files.writeString(config, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    private DecoderModel open(Path folder, EngineOptions options) {
        return DecoderModel.open(DecoderGraphs.opened(folder, options, dev.pollux.job.JobContext.NONE), options);
    }

    private int[] tokens(int count) {
        return random.ints(count, 4, TinyDecoder.VOCABULARY).toArray();
    }

    private static List<float[]> logits(DecoderSequence sequence, int... tokens) {
        List<float[]> rows = new ArrayList<>();
        sequence.append(tokens, (position, row) -> rows.add(TinyDecoders.copy(row)));
        return rows;
    }

    private void near(List<float[]> actual, List<float[]> due) {
        assertThat(actual).hasSameSizeAs(due);
        for (int i = 0; i < due.size(); i++) {
            for (int token = 0; token < due.get(i).length; token++) {
                assertThat(actual.get(i)[token])
                        .as("seed %d, position %d, token %d", seed, i, token)
                        .isCloseTo(due.get(i)[token], within((float) ROUNDING));
            }
        }
    }

    @Test
    void theLogitsAreThoseOfTheWholeCache() {
        for (Path folder : List.of(mistral(), qwen())) {
            int[] tokens = tokens(2500);
            EngineOptions window = options(WeightFormat.FLOAT, false).build();
            EngineOptions whole = options(WeightFormat.FLOAT, true).build();
            try (DecoderModel sliding = open(folder, window);
                    DecoderModel due = open(folder, whole);
                    DecoderSequence one = sliding.sequence();
                    DecoderSequence other = due.sequence()) {
                for (int at = 0; at < tokens.length; ) { // steps of all sizes, also across the drops
                    int count = Math.min(tokens.length - at, 1 + random.nextInt(random.nextBoolean() ? 3 : 700));
                    int[] some = Arrays.copyOfRange(tokens, at, at + count);
                    near(logits(one, some), logits(other, some));
                    at += count;
                }
                assertThat(one.rows().dropped()).isPositive();
                assertThat(other.rows().dropped()).isZero();
            }
        }
    }

    @Test
    void theCacheIsAsLongAsTheWindow() {
        Path folder = qwen();
        EngineOptions window = options(WeightFormat.FLOAT, false).build();
        try (DecoderModel sliding = open(folder, window);
                DecoderModel whole =
                        open(folder, options(WeightFormat.FLOAT, true).build())) {
            assertThat(sliding.manifest().states())
                    .extracting(StateTensor::kind)
                    .containsExactly(Kind.WINDOW, Kind.WINDOW, Kind.KEY_VALUE, Kind.KEY_VALUE);
            assertThat(whole.manifest().states()).extracting(StateTensor::kind).containsOnly(Kind.KEY_VALUE);
            // keys and values of one head of 16 floats: (window + 4096) rows and 2 · 4096 rows
            int kept = FIRST_DROP + 8;
            assertThat(sliding.bytes(CONTEXT)).isEqualTo((kept + CONTEXT) * 2L * 16 * Float.BYTES);
            assertThat(whole.bytes(CONTEXT)).isEqualTo(2L * CONTEXT * 2 * 16 * Float.BYTES);
            assertThat(sliding.bytes(100)).isEqualTo(whole.bytes(100));
        }
    }

    /** With even steps to the last bit, in any division of the text and after refused drafts. */
    @Test
    void aTextHasTheSameBitsHoweverItIsRead() {
        EngineOptions engine = options(WeightFormat.BITS_8, false).build();
        int[] tokens = tokens(1500);
        try (DecoderModel model = open(qwen(), engine);
                DecoderSequence plain = model.sequence();
                DecoderSequence drafted = model.sequence()) {
            if (!plain.isEven()) {
                return; // bits depend on the sizes of steps on this processor
            }
            List<float[]> due = logits(plain, tokens);
            drafted.pair(true);
            while (drafted.length() < tokens.length - 10) {
                int at = drafted.length();
                int count = random.nextInt(20) == 0 ? 1 + random.nextInt(200) : 1;
                count = Math.min(count, tokens.length - 10 - at);
                int drafts = Math.min(drafted.draftLimit(), random.nextInt(7));
                int[] step = Arrays.copyOfRange(tokens, at, at + count + (count == 1 ? drafts : 0));
                Arrays.fill(step, count, step.length, 5);
                List<float[]> rows = logits(drafted, step);
                drafted.truncate(at + count);
                for (int i = 0; i < count; i++) {
                    assertThat(Arrays.equals(rows.get(i), due.get(at + i)))
                            .as("seed %d, position %d", seed, at + i)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void aSequenceGoesBackAsFarAsItLikes() {
        int[] tokens = tokens(1600);
        EngineOptions engine = options(WeightFormat.FLOAT, false).build();
        try (DecoderModel model = open(mistral(), engine);
                DecoderSequence plain = model.sequence();
                DecoderSequence back = model.sequence();
                DecoderSequence copy = model.sequence()) {
            List<float[]> due = logits(plain, tokens);
            back.append(tokens);
            for (int to :
                    new int[] {1599, FIRST_DROP + 512 + 3, FIRST_DROP + 512 - 30, FIRST_DROP + 512 - 80, 700, 3, 0}) {
                back.truncate(to);
                near(logits(back, Arrays.copyOfRange(tokens, to, to + 1)), due.subList(to, to + 1));
                copy.follow(back);
                int[] more = Arrays.copyOfRange(tokens, to + 1, Math.min(tokens.length, to + 600));
                if (more.length > 0) {
                    near(logits(back, more), due.subList(to + 1, to + 1 + more.length));
                    near(logits(copy, more), due.subList(to + 1, to + 1 + more.length));
                }
            }
        }
    }

    private static Prompt prompt(int letters, String end) {
        StringBuilder text = new StringBuilder();
        while (text.length() < letters) {
            text.append("line ").append(text.length() * 7).append('\n');
        }
        return Prompt.text(text.substring(0, letters) + end);
    }

    private void same(Generation actual, Generation due) {
        assertThat(actual.tokens()).as("seed %d", seed).isEqualTo(due.tokens());
        List<Double> right = due.logProbabilities().stream()
                .map(TokenLogProbability::logProbability)
                .toList();
        for (int i = 0; i < right.size(); i++) {
            assertThat(actual.logProbabilities().get(i).logProbability())
                    .as("seed %d, token %d", seed, i)
                    .isCloseTo(right.get(i), withPercentage(.1));
        }
    }

    private static final GenerationOptions SETTINGS =
            GenerationOptions.builder().maxTokens(60).logProbabilities(1).build();

    @Test
    void longPromptsShareTheirBeginnings() {
        Path folder = qwen();
        EngineOptions none = options(WeightFormat.FLOAT, false)
                .idleSequences(0)
                .prefixBytes(0)
                .build();
        List<Generation> due = new ArrayList<>();
        List<Prompt> prompts = new ArrayList<>();
        for (String end : List.of("", " and more", "?")) {
            for (int length : List.of(FIRST_DROP - 30, 1500, 1900)) {
                prompts.add(prompt(length, end));
            }
        }
        try (OnnxGenerator generator = OnnxGenerator.open(folder, none)) {
            prompts.forEach(prompt -> due.add(generator.generate(prompt, SETTINGS)));
        }
        Path file = temp.resolve("prefixes");
        EngineOptions engine =
                options(WeightFormat.FLOAT, false).idleSequences(1).build();
        try (OnnxGenerator generator = OnnxGenerator.open(folder, engine);
                PrefixCache.Pin pin = generator.prefixes().pin(prompts.get(2))) {
            assertThat(pin.tokens()).isGreaterThan(1800);
            for (int i = 0; i < prompts.size(); i++) {
                Generation answer = generator.generate(prompts.get(i), SETTINGS);
                same(answer, due.get(i));
                assertThat(answer.usage().cachedTokens()).as("prompt %d", i).isGreaterThan(600);
            }
            generator.prefixes().save(file);
        }
        try (OnnxGenerator generator = OnnxGenerator.open(folder, engine)) {
            assertThat(generator.prefixes().load(file)).isGreaterThan(1800);
            for (int i = prompts.size() - 1; i >= 0; i--) {
                Generation answer = generator.generate(prompts.get(i), SETTINGS);
                same(answer, due.get(i));
                assertThat(answer.usage().cachedTokens()).as("prompt %d", i).isGreaterThan(600);
            }
        }
    }

    @Test
    void requestsThatShareStepsDropRowsOfTheirOwn() throws Exception {
        Path folder = qwen();
        List<Prompt> prompts = List.of(
                prompt(FIRST_DROP - 10, ""),
                prompt(FIRST_DROP - 40, "!"),
                prompt(40, ""),
                prompt(FIRST_DROP + 500, ""),
                prompt(1500, "."));
        List<Generation> due = new ArrayList<>();
        EngineOptions alone = options(WeightFormat.FLOAT, false).prefixBytes(0).build();
        try (OnnxGenerator generator = OnnxGenerator.open(folder, alone)) {
            prompts.forEach(prompt -> due.add(generator.generate(prompt, SETTINGS)));
        }
        EngineOptions shared = options(WeightFormat.FLOAT, false).sequences(4).build();
        ExecutorService threads = Executors.newFixedThreadPool(prompts.size());
        try (OnnxGenerator generator = OnnxGenerator.open(folder, shared)) {
            List<Callable<Generation>> tasks = new ArrayList<>();
            for (int i = 0; i < 4 * prompts.size(); i++) {
                Prompt prompt = prompts.get(i % prompts.size());
                tasks.add(() -> generator.generate(prompt, SETTINGS));
            }
            List<Future<Generation>> answers = threads.invokeAll(tasks);
            for (int i = 0; i < answers.size(); i++) {
                same(answers.get(i).get(), due.get(i % prompts.size()));
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
