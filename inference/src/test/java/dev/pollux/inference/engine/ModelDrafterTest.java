package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Drafts by a model, on small models of random weights. */
@NoLeaks
class ModelDrafterTest {

    /** The last bits depend on the size of a step, so a draw at the border of two tokens can refuse the rest of a step. */
    private static final int ONE_STEP = 8;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    private EngineOptions.Builder options() {
        return EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .export(ExportOptions.builder().weights(WeightFormat.FLOAT).build());
    }

    private Path model(int number) {
        return TinyDecoder.llama(number).write(temp.resolve("model" + number));
    }

    private GenerationOptions settings(int round) {
        GenerationOptions.Builder builder =
                GenerationOptions.builder().maxTokens(20 + random.nextInt(60)).minTokens(20);
        return switch (round % 4) {
            case 0 -> builder.build();
            case 1 -> builder.temperature(0.7).seed(round).build();
            case 2 ->
                builder.temperature(1).topP(.9).frequencyPenalty(.2).seed(round).build();
            default -> builder.repetitionPenalty(1.2).noRepeatNgram(3).build();
        };
    }

    private Prompt prompt() {
        return Prompt.text("Word " + random.nextInt(1000) + " and " + random.nextInt(1000));
    }

    /** The chance that a draft is right is 1 with the same model, and about 1 / vocabulary with another. */
    @Test
    void theOutputIsThatWithoutDrafts() {
        Path target = model(1);
        List<Prompt> prompts = new ArrayList<>();
        List<GenerationOptions> settings = new ArrayList<>();
        List<Generation> plain = new ArrayList<>();
        try (OnnxGenerator generator =
                OnnxGenerator.open(target, options().drafting(false).build())) {
            for (int round = 0; round < 16; round++) {
                prompts.add(prompt());
                settings.add(settings(round));
                plain.add(generator.generate(prompts.get(round), settings.get(round)));
            }
        }
        for (int draft = 1; draft <= 2; draft++) {
            try (OnnxGenerator generator =
                    OnnxGenerator.open(target, options().draft(model(draft)).build())) {
                for (int round = 0; round < plain.size(); round++) {
                    Generation drafted = generator.generate(prompts.get(round), settings.get(round));
                    assertThat(drafted.tokens())
                            .as("seed %d, draft model %d, %s", seed, draft, settings.get(round))
                            .isEqualTo(plain.get(round).tokens());
                    assertThat(drafted.finish()).isEqualTo(plain.get(round).finish());
                }
            }
        }
    }

    /** A draft model that costs nothing, for a target whose steps of several tokens cost little more than one. */
    private static final DraftCosts CHEAP =
            new DraftCosts(new double[] {1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35}, .05, .01);

    private Generation generate(DecoderModel target, DraftModel draft, GenerationOptions options, int[] prompt) {
        Sampler sampler = Sampler.of(options, target.manifest().vocabularySize());
        DraftModel.Request request = new DraftModel.Request(
                prompt, options, sampler, "", target.manifest().vocabularySize(), false);
        try (Drafter drafter = new ModelDrafter(draft, request);
                DecoderSequence sequence = target.sequence()) {
            return Drafted.write(sequence, options, prompt, sampler, drafter);
        }
    }

    @Test
    void whatTheDraftModelKnowsIsAcceptedAndWhatItDoesNotKnowEndsDrafting() {
        try (OnnxGenerator generator = OnnxGenerator.open(model(1), options().build());
                OnnxGenerator same = OnnxGenerator.open(model(1), options().build());
                OnnxGenerator other = OnnxGenerator.open(model(2), options().build())) {
            int[] prompt = generator.prompts().tokens(prompt());
            List<GenerationOptions> kinds = List.of(
                    GenerationOptions.builder().maxTokens(100).build(),
                    GenerationOptions.builder()
                            .maxTokens(100)
                            .temperature(1)
                            .seed(3)
                            .build(),
                    GenerationOptions.builder().maxTokens(100).temperature(1).build());
            for (GenerationOptions options : kinds) {
                Generation good = generate(generator.model(), DraftModel.of(same.model(), CHEAP), options, prompt);
                assertThat(good.usage().acceptedTokens())
                        .as("seed %d, %s", seed, options)
                        .isGreaterThan(60)
                        .isBetween(
                                good.usage().draftedTokens() - ONE_STEP,
                                good.usage().draftedTokens());
                Generation bad = generate(generator.model(), DraftModel.of(other.model(), CHEAP), options, prompt);
                assertThat(bad.usage().acceptedTokens()).isLessThan(good.usage().acceptedTokens());
                assertThat(bad.tokens()).hasSize(100);
            }
        }
    }

    @Test
    void anAnswerThatIsShorterThanReadingThePromptIsNotDrafted() {
        DraftCosts slow = new DraftCosts(CHEAP.rows(), .05, 10);
        try (OnnxGenerator generator = OnnxGenerator.open(model(1), options().build());
                OnnxGenerator same = OnnxGenerator.open(model(1), options().build())) {
            int[] prompt = random.ints(30, 0, generator.model().manifest().vocabularySize())
                    .distinct()
                    .limit(12)
                    .toArray();
            GenerationOptions options =
                    GenerationOptions.builder().maxTokens(60).temperature(1).build();
            DraftModel draft = DraftModel.of(same.model(), slow);
            Sampler sampler = Sampler.of(options, generator.model().manifest().vocabularySize());
            try (Drafter drafter = new ModelDrafter(
                    draft,
                    new DraftModel.Request(
                            prompt,
                            options,
                            sampler,
                            "",
                            generator.model().manifest().vocabularySize(),
                            false))) {
                for (int token : prompt) {
                    drafter.add(token);
                }
                assertThat(drafter.draft(7)).as("seed %d", seed).isEmpty();
                drafter.undrafted();
                assertThat(drafter.draft(7)).as("seed %d", seed).isEmpty();
            }
        }
    }

    @Test
    void aModelWithAnotherTokenizerIsRefused() {
        Path target = new ChainModel(List.of("<x>", "<end>"), List.of("a", "b")).write(temp.resolve("chain"), "");
        Path other = new ChainModel(List.of("<y>", "<end>"), List.of("a", "b")).write(temp.resolve("other"), "");
        assertThatThrownBy(
                        () -> OnnxGenerator.open(target, options().draft(other).build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "The model other cannot draft for chain: token 33 is '<y>' in its vocabulary and '<x>' in the"
                                + " other; draft with a model that has the same tokenizer");
    }

    @Test
    void aDrafterThatWasInterruptedDraftsNoMore() {
        try (OnnxGenerator generator = OnnxGenerator.open(model(1), options().build());
                OnnxGenerator same = OnnxGenerator.open(model(1), options().build())) {
            GenerationOptions options =
                    GenerationOptions.builder().maxTokens(60).build();
            Sampler sampler = Sampler.of(options, generator.model().manifest().vocabularySize());
            int vocabulary = generator.model().manifest().vocabularySize();
            int[] prompt = {5, 6, 7};
            try (Drafter drafter = new ModelDrafter(
                    DraftModel.of(same.model(), CHEAP),
                    new DraftModel.Request(prompt, options, sampler, "", vocabulary, false))) {
                for (int token : prompt) {
                    drafter.add(token);
                }
                drafter.undrafted();
                drafter.interrupt();
                assertThatThrownBy(() -> drafter.draft(7)).isInstanceOf(CancelledException.class);
            }
        }
    }

    @Test
    void requestsThatAreCancelledOrCloseEarlyFreeTheirDrafts() throws Exception {
        GenerationOptions longer = GenerationOptions.builder().maxTokens(100).build();
        try (OnnxGenerator generator = OnnxGenerator.open(
                model(1), options().draft(model(1)).sequences(3).build())) {
            ExecutorService threads = Executors.newFixedThreadPool(6);
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                int fate = random.nextInt(3);
                int after = random.nextInt(20);
                Prompt prompt = prompt();
                tasks.add(() -> {
                    try (GenerationStream stream = generator.stream(prompt, longer)) {
                        for (int n = 0; n < after && stream.iterator().hasNext(); n++) {
                            stream.iterator().next();
                        }
                        if (fate == 0) {
                            stream.cancel();
                            assertThat(stream.result().finish())
                                    .isIn(FinishReason.CANCELLED, FinishReason.MAX_TOKENS, FinishReason.END_OF_TEXT);
                        } else if (fate == 1) {
                            assertThat(stream.result().tokens()).isNotEmpty();
                        }
                    }
                    return null;
                });
            }
            for (Future<Void> future : threads.invokeAll(tasks)) {
                future.get();
            }
            threads.shutdown();
        }
    }
}
