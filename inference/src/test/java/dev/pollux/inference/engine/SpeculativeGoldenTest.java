package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.sampling.StopFilter;
import dev.pollux.inference.sampling.TokenDistribution;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The golden set {@code speculative}: texts with drafts have the target's distribution, and stop strings end them. */
class SpeculativeGoldenTest {

    private final long seed = new Random().nextLong();

    private static List<JsonNode> cases(String file) throws IOException {
        List<JsonNode> cases = JsonNode.parse(
                        Files.readString(ReferenceData.golden("speculative").resolve(file)))
                .valueStream()
                .toList();
        assertThat(cases).isNotEmpty();
        return cases;
    }

    @TestFactory
    Stream<DynamicTest> stopStringsEndTheTextWhateverItsPieces() throws IOException {
        return cases("stops.json").stream()
                .map(one -> DynamicTest.dynamicTest(
                        one.path("text").asString() + " " + one.path("stops"), () -> stop(one)));
    }

    private void stop(JsonNode one) {
        List<String> stops = one.path("stops")
                .valueStream()
                .map(JsonNode::asString)
                .filter(stop -> !stop.isEmpty())
                .toList();
        String text = one.path("text").asString();
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            StopFilter filter = StopFilter.of(stops);
            StringBuilder given = new StringBuilder();
            for (int from = 0; from < text.length(); ) {
                int length = round == 0 ? 1 : round == 1 ? text.length() : 1 + random.nextInt(5);
                int to = Math.min(text.length(), from + length);
                given.append(filter.push(text.substring(from, to)));
                from = to;
            }
            String before = given.toString();
            given.append(filter.flush());
            assertThat(given.toString())
                    .as("seed %d", seed)
                    .isEqualTo(one.path("output").asString());
            assertThat(filter.stopped()).isEqualTo(!one.path("stopped_by").isNull());
            if (!filter.stopped()) {
                assertThat(given.substring(before.length()))
                        .isEqualTo(one.path("held_back_before_the_end").asString());
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> textsWithDraftsHaveTheDistributionOfTheTarget() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode one : cases("chains.json")) {
            for (int size = 0; size <= 4; size++) {
                int most = size;
                for (Way way : Way.values()) {
                    tests.add(DynamicTest.dynamicTest(
                            "chain " + tests.size() + ", drafts of " + most + ", " + way,
                            () -> chiSquare(one, most, way)));
                }
            }
        }
        return tests.stream();
    }

    private static double[] numbers(JsonNode list) {
        return list.valueStream().mapToDouble(JsonNode::asDouble).toArray();
    }

    /** A Markov chain: the distribution after a token, and in an empty context, whose last token is the vocabulary's size. */
    private record Chain(double[][] next) {
        static Chain of(JsonNode one, String name) {
            List<double[]> rows = new ArrayList<>(one.path(name + "_next")
                    .valueStream()
                    .map(SpeculativeGoldenTest::numbers)
                    .toList());
            rows.add(numbers(one.path(name + "_first")));
            return new Chain(rows.toArray(double[][]::new));
        }

        FloatBuffer logits(int last) {
            float[] values = new float[next.length]; // one token more, for the empty context, which is never drawn
            for (int i = 0; i < next.length - 1; i++) {
                values[i] = (float) Math.log(next[last][i]);
            }
            values[next.length - 1] = Float.NEGATIVE_INFINITY;
            return FloatBuffer.wrap(values);
        }
    }

    /** How drafts are drawn. */
    private enum Way {
        /** With random numbers of their own; a row is drawn as without a draft. */
        INDEPENDENT,
        /** With the random numbers of the sampler. */
        COUPLED,
        /** With random numbers of their own, and chosen by the rule of acceptance. */
        RULE
    }

    /** Drafts drawn from another chain. */
    private static final class ChainDrafter implements Drafter {
        private final Chain chain;
        private final int most;
        private final Way way;
        private final Sampler sampler; // of the target
        private final Sampler own;
        private final Random random;
        private final List<TokenDistribution> distributions = new ArrayList<>();
        private int last;

        private ChainDrafter(Chain chain, int most, Way way, Sampler sampler, Random random) {
            this.chain = chain;
            this.most = most;
            this.way = way;
            this.sampler = sampler;
            this.random = random;
            this.own = Sampler.of(GenerationOptions.builder().temperature(1).build(), chain.next.length);
        }

        @Override
        public void add(int token) {
            last = token;
        }

        @Override
        public int[] draft(int limit) {
            int[] draft = new int[Math.max(0, Math.min(most, limit))];
            distributions.clear();
            int token = last;
            for (int i = 0; i < draft.length; i++) {
                TokenDistribution distribution =
                        own.distribution(chain.logits(token)).copy();
                if (way == Way.RULE) {
                    distributions.add(distribution);
                }
                token = distribution.draw(way == Way.COUPLED ? sampler.uniform(i) : random.nextDouble());
                draft[i] = token;
            }
            return draft;
        }

        @Override
        public Optional<TokenDistribution> distribution(int index) {
            return index < distributions.size() ? Optional.of(distributions.get(index)) : Optional.empty();
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

    private void chiSquare(JsonNode one, int most, Way way) {
        Chain target = Chain.of(one, "target");
        Chain drafts = Chain.of(one, "draft");
        int vocabulary = one.path("vocabulary").asInt();
        int runs = one.path("runs").asInt();
        Random random = new Random(seed);
        Map<String, Integer> counts = new HashMap<>();
        try (Tokenizer tokenizer = LetterTokenizer.of(List.of("<end>"))) {
            for (int run = 0; run < runs; run++) {
                GenerationOptions options = GenerationOptions.builder()
                        .maxTokens(one.path("tokens").asInt())
                        .temperature(1)
                        .seed(random.nextLong())
                        .build();
                TextAssembler text = new TextAssembler(
                        tokenizer.streamDecoder(true),
                        ChannelFormat.of("", tokenizer).after("", false),
                        List.of(),
                        delta -> {});
                Sampler sampler = Sampler.of(options, vocabulary + 1);
                Drafter drafter = new ChainDrafter(drafts, most, way, sampler, random);
                GenerationLoop loop = new GenerationLoop(
                        new GenerationLoop.Request(new int[] {vocabulary}, options, Set.of(), 100, Duration.ZERO),
                        sampler,
                        text,
                        Optional.of(drafter));
                List<Integer> tokens = write(loop, target, vocabulary);
                counts.merge(tokens.stream().map(String::valueOf).collect(Collectors.joining(" ")), 1, Integer::sum);
            }
        }
        double sum = 0;
        JsonNode exact = one.path("exact");
        for (String word : exact.propertyNames()) {
            double due = runs * exact.path(word).asDouble();
            sum += Math.pow(counts.getOrDefault(word, 0) - due, 2) / due;
        }
        assertThat(sum).as("seed %d", seed).isLessThan(one.path("limit_at_1e-4").asDouble());
    }

    /** The turns of an engine: the last token and a draft are read, and rows accepted while they confirm it. */
    private static List<Integer> write(GenerationLoop loop, Chain target, int first) {
        int last = first;
        while (loop.result().isEmpty()) {
            int[] draft = loop.draft(8);
            boolean confirmed = loop.accept(target.logits(last));
            for (int i = 0; confirmed; i++) {
                confirmed = loop.accept(target.logits(draft[i]));
            }
            int[] due = loop.due(1 + loop.written() - 1);
            last = due[due.length - 1];
        }
        return loop.result().get().tokens();
    }
}
