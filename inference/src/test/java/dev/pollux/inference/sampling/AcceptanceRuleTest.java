package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rule of acceptance on single steps, in the golden set {@code speculative}, and what it needs of distributions. */
class AcceptanceRuleTest {

    private static final double EXACT = 1e-12; // the reference computes in double precision

    private static TokenDistribution distribution(JsonNode probabilities) {
        TokenDistribution distribution = new TokenDistribution();
        distribution.reserve(probabilities.size());
        probabilities
                .valueStream()
                .forEach(p -> distribution.put(distribution.count, distribution.count++, p.asDouble()));
        return distribution;
    }

    @TestFactory
    Stream<DynamicTest> stepsOfTheReference() throws IOException {
        JsonNode cases = JsonNode.parse(
                Files.readString(ReferenceData.golden("speculative").resolve("acceptance.json")));
        assertThat(cases.size()).isPositive();
        return cases.valueStream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(one)));
    }

    private static void check(JsonNode one) {
        List<Integer> proposed =
                one.path("proposed").valueStream().map(JsonNode::asInt).toList();
        double[] draws =
                one.path("draws").valueStream().mapToDouble(JsonNode::asDouble).toArray();
        List<Integer> emitted = new ArrayList<>();
        TokenDistribution last = null;
        boolean ended = false;
        int accepted = 0;
        while (accepted < proposed.size() && last == null && !ended) {
            TokenDistribution p = distribution(one.path("target").path(accepted));
            TokenDistribution q = distribution(one.path("draft").path(accepted));
            int token = proposed.get(accepted);
            if (AcceptanceRule.accepts(p, q, token, draws[accepted])) {
                emitted.add(token);
                accepted++;
                ended = !one.path("eos").isNull() && token == one.path("eos").asInt();
            } else {
                last = AcceptanceRule.rest(p, q);
            }
        }
        if (last == null && !ended) {
            last = distribution(one.path("target").path(proposed.size()));
        }
        if (last == null) {
            assertThat(one.path("last_distribution").isNull()).isTrue();
        } else {
            emitted.add(last.draw(draws[draws.length - 1]));
            JsonNode due = one.path("last_distribution");
            for (int token = 0; token < due.size(); token++) {
                assertThat(last.probabilityOf(token)).isCloseTo(due.path(token).asDouble(), within(EXACT));
            }
        }
        assertThat(accepted).isEqualTo(one.path("accepted").asInt());
        assertThat(emitted)
                .isEqualTo(
                        one.path("emitted").valueStream().map(JsonNode::asInt).toList());
    }

    @Test
    void aNumberThatWasLookedAtDrawsTheToken() {
        long seed = new Random().nextLong();
        GenerationOptions options =
                GenerationOptions.builder().temperature(1).seed(seed).build();
        Sampler plain = Sampler.of(options, 50);
        Sampler ahead = Sampler.of(options, 50);
        Random random = new Random(seed);
        for (int token = 0; token < 200; token++) {
            float[] logits = new float[50];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) random.nextGaussian();
            }
            int looked = random.nextInt(4);
            double first = 0;
            for (int i = looked - 1; i >= 0; i--) {
                first = ahead.uniform(i);
            }
            int guess = ahead.distribution(FloatBuffer.wrap(logits)).draw(first);
            int due = plain.next(FloatBuffer.wrap(logits));
            assertThat(ahead.next(FloatBuffer.wrap(logits))).as("seed %d", seed).isEqualTo(due);
            if (looked > 0) {
                assertThat(guess).as("seed %d", seed).isEqualTo(due);
            }
        }
    }
}
