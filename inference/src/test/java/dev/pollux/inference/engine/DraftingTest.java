package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Drafts change the number of steps and nothing else: with float weights, every output equals that without drafts. */
@NoLeaks
class DraftingTest {

    private static final ExportOptions FLOAT =
            ExportOptions.builder().weights(WeightFormat.FLOAT).build();

    /** Tokens of a step with room for several drafts; one of two or three has none after a refusal. */
    private static final int ROOMY = 8;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    Path temp;

    private static Generation generate(
            DecoderModel model, int[] prompt, GenerationOptions options, Set<Integer> ends, boolean drafting) {
        int vocabulary = model.manifest().vocabularySize();
        try (Tokenizer tokenizer = LetterTokenizer.of(List.of("<end>"));
                DecoderSequence sequence = model.sequence()) {
            TextAssembler text = new TextAssembler(
                    tokenizer.streamDecoder(true),
                    ChannelFormat.of("", tokenizer).after("", false),
                    options.stop(),
                    delta -> {});
            GenerationLoop.Request request = new GenerationLoop.Request(
                    prompt, options, ends, model.manifest().contextLength(), Duration.ZERO);
            Sampler sampler = Sampler.of(options, new Sampler.Vocabulary(vocabulary, ends, id -> ""));
            Optional<Drafter> drafter = drafting ? model.drafter(request, sampler, model.scope()) : Optional.empty();
            GenerationLoop loop = new GenerationLoop(request, sampler, text, drafter);
            GenerationTurns turns = new GenerationTurns(loop, sequence, Optional.empty());
            while (loop.result().isEmpty()) {
                turns.run();
                assertThat(sequence.length()).isEqualTo(loop.certain());
            }
            drafter.ifPresent(Drafter::close);
            return loop.result().get();
        }
    }

    @Test
    void theOutputEqualsThatWithoutDrafts() {
        EngineOptions options =
                EngineOptions.builder().threads(1).cache(temp).export(FLOAT).build();
        int drafted = 0;
        int accepted = 0;
        try (DecoderModel model = DecoderModel.open(TinyDecoders.llama(temp, options), options)) {
            for (int round = 0; round < 40; round++) {
                int[] part = random.ints(
                                1 + random.nextInt(6), 0, model.manifest().vocabularySize())
                        .toArray();
                int[] prompt = new int[part.length * (1 + random.nextInt(4))];
                for (int i = 0; i < prompt.length; i++) {
                    prompt[i] = part[i % part.length];
                }
                GenerationOptions settings = settings(round);
                Generation plain = generate(model, prompt, settings, Set.of(3), false);
                Generation fast = generate(model, prompt, settings, Set.of(3), true);
                assertThat(fast.tokens())
                        .as("seed %d, round %d, %s", seed, round, settings)
                        .isEqualTo(plain.tokens());
                assertThat(fast.finish()).isEqualTo(plain.finish());
                assertThat(fast.text()).isEqualTo(plain.text());
                assertThat(plain.usage().draftedTokens()).isZero();
                drafted += fast.usage().draftedTokens();
                accepted += fast.usage().acceptedTokens();
            }
        }
        assertThat(accepted).isPositive().isLessThan(drafted);
    }

    /** Greedy, drawn, with rules that look at the text before, up to the end of the context. */
    private GenerationOptions settings(int round) {
        GenerationOptions.Builder builder = GenerationOptions.builder().maxTokens(1 + random.nextInt(160));
        return switch (round % 4) {
            case 0 -> builder.build();
            case 1 -> builder.temperature(0.2).seed(round).build();
            case 2 ->
                builder.temperature(0.5)
                        .topP(0.9)
                        .repetitionPenalty(1.05)
                        .seed(round)
                        .build();
            default -> builder.noRepeatNgram(4).frequencyPenalty(0.1).build();
        };
    }

    @TestFactory
    Stream<DynamicTest> theReferencesOutputs() throws IOException {
        Path set = ReferenceData.golden("sampling");
        JsonNode root = JsonNode.parse(Files.readString(set.resolve("speculative.json")));
        assertThat(root.path("cases").size()).isPositive();
        List<DynamicTest> tests = new ArrayList<>();
        int number = 0;
        for (JsonNode one : root.path("cases").valueStream().toList()) {
            String name = one.path("kind").asString() + " " + one.path("model").asString() + " " + number++;
            tests.add(DynamicTest.dynamicTest(name, () -> check(set.resolveSibling("decoder"), one)));
        }
        return tests.stream();
    }

    private void check(Path models, JsonNode one) {
        JsonNode parameters = one.path("parameters");
        String name = one.path("model").asString();
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(parameters.path("max_new_tokens").asInt())
                .minTokens(parameters.path("min_new_tokens").asInt(0))
                .build();
        JsonNode ends = parameters.path("eos_token_id");
        Set<Integer> endTokens = ends.isNumber() ? Set.of(ends.asInt()) : Set.copyOf(ids(ends));
        Path export = temp.resolve(name);
        if (!Files.exists(export)) {
            try (Checkpoint checkpoint = Checkpoint.open(models.resolve(name))) {
                DecoderExport.export(checkpoint, export, FLOAT).run();
            }
        }
        try (DecoderModel model =
                DecoderModel.open(export, EngineOptions.builder().threads(1).build())) {
            int[] prompt =
                    ids(one.path("prompt")).stream().mapToInt(Integer::intValue).toArray();
            for (boolean drafting : new boolean[] {false, true}) {
                assertThat(generate(model, prompt, options, endTokens, drafting).tokens())
                        .as("drafting: %s", drafting)
                        .isEqualTo(ids(one.path("output")));
            }
            if (one.path("draft").isString()) {
                checkDraft(models, one, model, prompt);
            }
        }
    }

    private void checkDraft(Path models, JsonNode one, DecoderModel model, int[] prompt) {
        Path export = temp.resolve("draft-" + one.path("draft").asString());
        if (!Files.exists(export)) {
            try (Checkpoint checkpoint =
                    Checkpoint.open(models.resolve(one.path("draft").asString()))) {
                DecoderExport.export(checkpoint, export, FLOAT).run();
            }
        }
        EngineOptions engine = EngineOptions.builder().threads(1).cache(temp).build();
        try (DecoderModel small = DecoderModel.open(export, engine)) {
            JsonNode parameters = one.path("parameters");
            GenerationOptions options = GenerationOptions.builder()
                    .maxTokens(parameters.path("max_new_tokens").asInt())
                    .minTokens(parameters.path("min_new_tokens").asInt(0))
                    .build();
            JsonNode ends = parameters.path("eos_token_id");
            Set<Integer> endTokens = ends.isNumber() ? Set.of(ends.asInt()) : Set.copyOf(ids(ends));
            try (DraftModel draft = DraftModel.of(small, model)) {
                model.draft(draft);
                assertThat(generate(model, prompt, options, endTokens, true).tokens())
                        .isEqualTo(ids(one.path("output")));
            }
        }
    }

    private static List<Integer> ids(JsonNode list) {
        return list.valueStream().map(JsonNode::asInt).toList();
    }

    /** Drafts that are right up to a random place. */
    private final class HalfRight implements Drafter {
        private final List<Integer> right; // the tokens of the output
        private final int prompt;
        private int count;

        private HalfRight(List<Integer> right, int prompt) {
            this.right = right;
            this.prompt = prompt;
        }

        @Override
        public void add(int token) {
            count++;
        }

        @Override
        public int[] draft(int most) {
            int from = count - prompt;
            int size = Math.min(Math.min(most, random.nextInt(8)), right.size() - from);
            int wrong = random.nextInt(10);
            int[] draft = new int[Math.max(0, size)];
            for (int i = 0; i < draft.length; i++) {
                draft[i] = i < wrong ? right.get(from + i) : 1 + random.nextInt(20);
            }
            return draft;
        }

        @Override
        public void verified(int accepted, int size) {}

        @Override
        public void undrafted() {}

        @Override
        public boolean pairs() {
            return false;
        }
    }

    /** Models that cannot go back a token by themselves: states are taken back to the step before. */
    @TestFactory
    Stream<DynamicTest> modelsWithRecurrentStates() throws IOException {
        List<Path> folders;
        try (Stream<Path> files = Files.list(ReferenceData.golden("decoder"))) {
            folders = files.filter(folder -> Files.exists(folder.resolve("config.json")))
                    .sorted()
                    .toList();
        }
        return folders.stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> recurrent(folder)));
    }

    private void recurrent(Path folder) {
        Path export = temp.resolve(folder.getFileName().toString());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            DecoderExport.export(checkpoint, export, FLOAT).run();
        }
        int chunk = 1 + random.nextInt(40);
        EngineOptions engine = EngineOptions.builder()
                .threads(1)
                .cache(temp)
                .prefillChunk(chunk)
                .build();
        try (DecoderModel model = DecoderModel.open(export, engine)) {
            if (model.manifest().states(Kind.RECURRENT).isEmpty()) {
                return;
            }
            long drafts = 0;
            long accepted = 0;
            for (int round = 0; round < 4; round++) {
                int vocabulary = model.manifest().vocabularySize();
                int[] prompt = random.ints(1 + random.nextInt(round == 0 ? 8 : 60), 0, vocabulary)
                        .toArray();
                GenerationOptions options =
                        GenerationOptions.builder().maxTokens(40).build();
                Generation plain = generate(model, prompt, options, Set.of(), false);
                Drafter drafter = new HalfRight(plain.tokens(), prompt.length);
                try (DecoderSequence sequence = model.sequence()) {
                    Generation drafted =
                            Drafted.write(sequence, options, prompt, Sampler.of(options, vocabulary), drafter);
                    assertThat(drafted.tokens())
                            .as("seed %d, round %d", seed, round)
                            .isEqualTo(plain.tokens());
                    drafts += drafted.usage().draftedTokens();
                    accepted += drafted.usage().acceptedTokens();
                }
            }
            // of all rounds: a long prompt can leave room for a few tokens only, so the first is short; small steps
            // have no room
            if (chunk >= ROOMY) {
                assertThat(accepted).as("seed %d", seed).isPositive().isLessThan(drafts);
            }
        }
    }
}
