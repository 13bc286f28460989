package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.CancelledException;
import dev.pollux.DeadlineException;
import dev.pollux.OverloadedException;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.TokenLogProbability;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What holds of every request, whatever runs beside it:
 *
 * <ol>
 *   <li>its tokens depend on its prompt, options and seed, not on load, order, chunks, stored prefixes or the ends of others;
 *   <li>steps of an even size have the same bits, and nothing reads the logits of a filler ({@link EvenRowsTest});
 *   <li>rows at and beyond the length of a sequence hold anything;
 *   <li>those who share a step are in the first slots, and a move takes their rows along ({@link SlotCacheTest});
 *   <li>after tokens were taken back, a sequence is as if they had never been read;
 *   <li>a stored block never changes ({@link PrefixStoreTest});
 *   <li>what is measured with a clock decides how long a request takes, and not what it writes.
 * </ol>
 */
@NoLeaks
class GenerationInvariantsTest {

    private static final int CALLERS = 64;
    private static final int KINDS = 24;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    private EngineOptions.Builder options(WeightFormat weights) {
        return EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .export(ExportOptions.builder().weights(weights).blockSize(16).build());
    }

    private Path model(int number) {
        return TinyDecoder.llama(number).write(temp.resolve("model" + number));
    }

    private GenerationOptions settings(int round) {
        GenerationOptions.Builder options =
                GenerationOptions.builder().maxTokens(4 + random.nextInt(30)).logProbabilities(1);
        return switch (round % 3) {
            case 0 -> options.build();
            case 1 -> options.temperature(1).topP(.9).seed(round).build();
            default -> options.repetitionPenalty(1.2).noRepeatNgram(3).build();
        };
    }

    private void same(Generation actual, Generation due) {
        assertThat(actual.tokens()).as("seed %d", seed).isEqualTo(due.tokens());
        assertThat(actual.logProbabilities().stream().map(TokenLogProbability::logProbability))
                .as("seed %d: to the last bit", seed)
                .isEqualTo(due.logProbabilities().stream()
                        .map(TokenLogProbability::logProbability)
                        .toList());
    }

    /** 1: callers who cancel, close, give up and wait do not change what others get; nothing hangs or leaks. */
    @Test
    void anAnswerDependsOnItsRequestAlone() throws Exception {
        Path model = model(1);
        List<Prompt> prompts = new ArrayList<>();
        List<GenerationOptions> settings = new ArrayList<>();
        List<Generation> alone = new ArrayList<>();
        EngineOptions.Builder shared = options(WeightFormat.BITS_8).sequences(6).idleSequences(2);
        try (OnnxGenerator generator = OnnxGenerator.open(model, shared.build())) {
            for (int i = 0; i < KINDS; i++) {
                prompts.add(Prompt.text("Text ".repeat(1 + random.nextInt(8)) + random.nextInt(3)));
                settings.add(settings(i));
                alone.add(generator.generate(prompts.get(i), settings.get(i)));
            }
        }
        AtomicInteger whole = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
        try (OnnxGenerator generator =
                OnnxGenerator.open(model, shared.queue(50).prefillChunk(48).build())) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < 12 * CALLERS; i++) {
                int kind = random.nextInt(KINDS);
                int fate = random.nextInt(6);
                int after = random.nextInt(6);
                GenerationOptions own = fate == 0
                        ? settings.get(kind).toBuilder()
                                .deadline(Duration.ofMillis(1L + after))
                                .build()
                        : settings.get(kind).toBuilder().priority(fate - 2).build();
                tasks.add(() -> {
                    try (GenerationStream stream = generator.stream(prompts.get(kind), own)) {
                        for (int n = 0;
                                fate < 3 && n < after && stream.iterator().hasNext();
                                n++) {
                            stream.iterator().next();
                        }
                        if (fate == 1) {
                            stream.cancel();
                        }
                        if (fate != 2) {
                            Generation answer = stream.result();
                            if (answer.finish() != FinishReason.CANCELLED) {
                                same(answer, alone.get(kind));
                                whole.incrementAndGet();
                            } else {
                                int size = answer.tokens().size();
                                assertThat(answer.tokens())
                                        .as("seed %d", seed)
                                        .isEqualTo(alone.get(kind).tokens().subList(0, size));
                            }
                        }
                    } catch (DeadlineException passed) {
                        assertThat(fate).isZero();
                    } catch (OverloadedException full) {
                        assertThat(full).hasMessageStartingWith("50 requests wait already");
                    } catch (CancelledException cancelled) {
                        assertThat(fate).isEqualTo(1);
                    }
                    return null;
                });
            }
            for (Future<Void> future : threads.invokeAll(tasks)) {
                future.get();
            }
            assertThat(generator.model().scheduler().orElseThrow().queue().waiting())
                    .isZero();
        } finally {
            threads.shutdownNow();
        }
        assertThat(whole.get()).as("seed %d", seed).isPositive();
    }

    /** 3: what an interrupted step, a filler or a refused draft left behind has no effect. */
    @Test
    void rowsBeyondTheLengthHoldAnything() {
        for (WeightFormat weights : List.of(WeightFormat.FLOAT, WeightFormat.BITS_8)) {
            EngineOptions engine =
                    options(weights).cache(temp.resolve("rows-" + weights)).build();
            try (DecoderModel model =
                            DecoderModel.open(TinyDecoders.llama(temp.resolve(weights + ""), engine), engine);
                    DecoderSequence clean = model.sequence();
                    DecoderSequence dirty = model.sequence()) {
                int vocabulary = model.manifest().vocabularySize();
                dirty.reserve(100);
                for (int round = 0; clean.length() < 90; round++) {
                    int[] ids =
                            random.ints(1 + random.nextInt(7), 0, vocabulary).toArray();
                    int bytes = (int) KeyValueCache.bytes(
                            model.manifest().states(Kind.KEY_VALUE),
                            model.graph().cache(),
                            8);
                    ByteBuffer noise = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
                    while (noise.hasRemaining()) {
                        noise.putFloat(round % 2 == 0 ? Float.NaN : 1e30f);
                    }
                    dirty.rows().put(0, dirty.length(), 8, noise.clear());
                    assertThat(TinyDecoders.copy(dirty.append(ids)))
                            .as("seed %d, %s, round %d", seed, weights, round)
                            .isEqualTo(TinyDecoders.copy(clean.append(ids)));
                }
            }
        }
    }

    /** 5: with even steps to the last bit. */
    @Test
    void tokensThatWereTakenBackLeaveNoTrace() {
        EngineOptions engine = options(WeightFormat.BITS_8).build();
        try (DecoderModel model = DecoderModel.open(TinyDecoders.llama(temp, engine), engine);
                DecoderSequence plain = model.sequence();
                DecoderSequence drafted = model.sequence()) {
            if (!plain.isEven()) {
                return; // bits depend on the sizes of steps on this processor
            }
            int vocabulary = model.manifest().vocabularySize();
            plain.pair(true);
            drafted.pair(true);
            while (plain.length() < 100) {
                int token = random.nextInt(vocabulary);
                int[] draft =
                        random.ints(2L * (1 + random.nextInt(3)), 0, vocabulary).toArray();
                draft[0] = token;
                List<float[]> rows = new ArrayList<>();
                drafted.append(draft, (position, row) -> rows.add(TinyDecoders.copy(row)));
                drafted.truncate(plain.length() + 1);
                FloatBuffer due = plain.append(token);
                assertThat(Arrays.equals(rows.get(0), TinyDecoders.copy(due)))
                        .as("seed %d, after %d tokens", seed, plain.length())
                        .isTrue();
            }
        }
    }

    /** 7: costs decide what is drafted; with a seed and float weights, the tokens are the same. */
    @Test
    void measuredTimesDoNotDecideWhatIsWritten() {
        List<DraftCosts> costs = List.of(
                new DraftCosts(new double[] {1, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07}, .01, 0),
                new DraftCosts(new double[] {1, 1.5, 1.9, 2.2, 2.5, 2.8, 3.1, 3.4}, .1, .05),
                new DraftCosts(new double[] {1, 2, 3}, 2, 5));
        try (OnnxGenerator target =
                        OnnxGenerator.open(model(1), options(WeightFormat.FLOAT).build());
                OnnxGenerator draft = OnnxGenerator.open(
                        model(random.nextInt(2) + 1),
                        options(WeightFormat.FLOAT).build())) {
            int vocabulary = target.model().manifest().vocabularySize();
            int[] prompt = random.ints(5, 4, vocabulary).toArray();
            for (int round = 0; round < 6; round++) {
                GenerationOptions settings =
                        settings(round).toBuilder().maxTokens(60).build();
                List<List<Integer>> texts = new ArrayList<>();
                for (DraftCosts one : costs) {
                    Sampler sampler = Sampler.of(settings, vocabulary);
                    try (Drafter drafter = new ModelDrafter(
                                    DraftModel.of(draft.model(), one),
                                    new DraftModel.Request(prompt, settings, sampler, "", vocabulary, false));
                            DecoderSequence sequence = target.model().sequence()) {
                        texts.add(Drafted.write(sequence, settings, prompt, sampler, drafter)
                                .tokens());
                    }
                }
                assertThat(texts).as("seed %d, round %d", seed, round).containsOnly(texts.get(0));
            }
        }
    }
}
