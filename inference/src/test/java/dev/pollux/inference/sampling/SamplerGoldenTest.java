package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** The distributions of the golden set {@code sampling}, for every case whose parameters the options have. */
class SamplerGoldenTest {

    /** Of the golden set's README. */
    private static final double ABSOLUTE = 1e-6;

    private static final double RELATIVE = 1e-4;

    private static final Set<String> KNOWN = Set.of(
            "temperature",
            "top_h",
            "top_k",
            "top_p",
            "min_p",
            "typical_p",
            "epsilon_cutoff",
            "eta_cutoff",
            "repetition_penalty",
            "presence_penalty",
            "frequency_penalty",
            "no_repeat_ngram_size",
            "bad_words_ids",
            "min_new_tokens",
            "suppress_tokens",
            "sequence_bias");

    @TestFactory
    Stream<DynamicTest> everyCaseGivesTheReferenceDistribution() {
        Path set = ReferenceData.golden("sampling");
        JsonNode root = read(set.resolve("processors.json"));
        assertThat(root.path("cases").size()).isPositive();
        return root.path("cases")
                .valueStream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(set, root, one)));
    }

    private static void check(Path set, JsonNode root, JsonNode one) {
        JsonNode parameters = one.path("parameters");
        Set<String> unknown = new TreeSet<>(parameters.propertyNames());
        unknown.removeAll(KNOWN);
        if (!unknown.isEmpty()) {
            throw new TestAbortedException("GenerationOptions has nothing for " + unknown);
        }
        try (SafetensorsFile file = SafetensorsFile.open(set.resolve("processors.safetensors"))) {
            float[] due = file.floats(one.path("probs").asString());
            for (int row = 0; row < root.path("vectors").size(); row++) {
                String vector = root.path("vectors").path(row).asString();
                float[] logits = file.floats("logits." + vector);
                double[] actual = probabilities(sampler(root, one, logits.length), logits);
                double[] expected = new double[logits.length];
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = due[row * expected.length + i];
                }
                compare(
                        vector,
                        actual,
                        expected,
                        one.path("order_of_ties_decides").path(vector).asBoolean());
            }
        }
    }

    private static double[] probabilities(Sampler sampler, float[] logits) {
        TokenDistribution distribution = sampler.distribution(FloatBuffer.wrap(logits));
        double[] all = new double[logits.length];
        for (int i = 0; i < distribution.size(); i++) {
            all[distribution.token(i)] = distribution.probability(i);
        }
        return all;
    }

    private static Sampler sampler(JsonNode root, JsonNode one, int vocabulary) {
        Set<Integer> endTokens = Set.of(root.path("eos_token_id").asInt());
        Sampler sampler = Sampler.of(
                options(one.path("parameters")), new Sampler.Vocabulary(vocabulary, endTokens, Integer::toString));
        int[] history =
                root.path("history").valueStream().mapToInt(JsonNode::asInt).toArray();
        boolean everything = one.path("counted_over").asString("generated").equals("all");
        int prompt = everything ? 0 : root.path("prompt_length").asInt();
        sampler.observePrompt(Arrays.copyOf(history, prompt));
        for (int i = prompt; i < history.length; i++) {
            sampler.accept(history[i]);
        }
        return sampler;
    }

    private static GenerationOptions options(JsonNode p) {
        Map<List<Integer>, Float> bias = new HashMap<>();
        p.path("sequence_bias")
                .forEach(
                        pair -> bias.put(ids(pair.path(0)), (float) pair.path(1).asDouble()));
        Map<Integer, Float> suppressed = new HashMap<>();
        ids(p.path("suppress_tokens")).forEach(id -> suppressed.put(id, Float.NEGATIVE_INFINITY));
        return GenerationOptions.builder()
                .minTokens(p.path("min_new_tokens").asInt(0))
                .temperature(p.path("temperature").asDouble(1))
                .topH(p.path("top_h").asDouble(1))
                .topK(p.path("top_k").asInt(0))
                .topP(p.path("top_p").asDouble(1))
                .minP(p.path("min_p").asDouble(0))
                .typicalP(p.path("typical_p").asDouble(1))
                .epsilonCutoff(p.path("epsilon_cutoff").asDouble(0))
                .etaCutoff(p.path("eta_cutoff").asDouble(0))
                .repetitionPenalty(p.path("repetition_penalty").asDouble(1))
                .presencePenalty(p.path("presence_penalty").asDouble(0))
                .frequencyPenalty(p.path("frequency_penalty").asDouble(0))
                .noRepeatNgram(p.path("no_repeat_ngram_size").asInt(0))
                .badWords(p.path("bad_words_ids")
                        .valueStream()
                        .map(word -> ids(word))
                        .toList())
                .logitBias(suppressed)
                .sequenceBias(bias)
                .build();
    }

    private static List<Integer> ids(JsonNode list) {
        return list.valueStream().map(JsonNode::asInt).toList();
    }

    private static void compare(String vector, double[] actual, double[] expected, boolean tiesDecide) {
        assertThat(kept(actual)).as("%s: tokens kept", vector).isEqualTo(kept(expected));
        if (tiesDecide) {
            Arrays.sort(actual);
            Arrays.sort(expected);
        }
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(actual[i] - expected[i]);
            assertThat(difference <= ABSOLUTE || difference <= RELATIVE * expected[i])
                    .as("%s: probability %d is %s but must be %s", vector, i, actual[i], expected[i])
                    .isTrue();
        }
    }

    /** Tokens left, as far as single precision, which the reference is in, can tell. */
    private static long kept(double[] probabilities) {
        return Arrays.stream(probabilities).filter(p -> p > Float.MIN_NORMAL).count();
    }

    private static JsonNode read(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
