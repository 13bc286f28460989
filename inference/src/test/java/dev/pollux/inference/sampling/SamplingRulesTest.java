package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.Dry;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Mirostat;
import dev.pollux.generation.TokenLogProbability;
import dev.pollux.generation.Xtc;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The rules that transformers does not have, or has in another form, against their definitions. */
class SamplingRulesTest {

    private static final int VOCABULARY = 6;
    private static final float NONE = Float.NEGATIVE_INFINITY;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    private static FloatBuffer logits(float... values) {
        return FloatBuffer.wrap(values);
    }

    private static Sampler sampler(GenerationOptions.Builder options) {
        return Sampler.of(
                options.build(), new Sampler.Vocabulary(VOCABULARY, Set.of(5), id -> id == 4 ? "a\n" : "x" + id));
    }

    private static Sampler after(GenerationOptions.Builder options, int... text) {
        Sampler sampler = sampler(options);
        for (int token : text) {
            sampler.accept(token);
        }
        return sampler;
    }

    /** The logits that the rules leave, up to a constant: logarithms of the probabilities, relative to a token of logit 0. */
    private static double[] left(Sampler sampler, int reference, float... values) {
        TokenDistribution distribution = sampler.distribution(logits(values));
        double[] left = new double[values.length];
        double zero = Math.log(distribution.probabilityOf(reference)) - values[reference];
        for (int id = 0; id < left.length; id++) {
            left[id] = Math.log(distribution.probabilityOf(id)) - zero;
        }
        return left;
    }

    @Test
    void dryPenalizesTheTokenAfterARepeatedSequenceByItsLength() {
        Dry dry = new Dry(0.8, 1.75, 2, 100, List.of());
        Sampler sampler = after(GenerationOptions.builder().temperature(1).dry(dry), 0, 1, 2, 3, 0, 1, 2);
        double[] left = left(sampler, 0, 0, 0, 0, 0, 0, 0);
        assertThat(left[3]).isCloseTo(-0.8 * 1.75, within(1e-6)); // three tokens, one more than allowed
        assertThat(left[1]).isZero();
    }

    @Test
    void drySequencesDoNotCrossABreaker() {
        Dry dry = new Dry(0.8, 1.75, 1, 100, List.of("\n"));
        Sampler sampler = after(GenerationOptions.builder().temperature(1).dry(dry), 0, 4, 1, 3, 0, 4, 1);
        assertThat(left(sampler, 0, 0, 0, 0, 0, 0, 0)[3]).isCloseTo(-0.8, within(1e-6)); // only the token after "\n"
    }

    @Test
    void dryLooksNoFurtherBackThanItsRange() {
        Dry dry = new Dry(0.8, 1.75, 2, 6, List.of());
        Sampler sampler = after(GenerationOptions.builder().temperature(1).dry(dry), 0, 1, 2, 3, 0, 1, 2);
        assertThat(left(sampler, 0, 0, 0, 0, 0, 0, 0)[3]).isCloseTo(-0.8, within(1e-6)); // 1 2, since 0 is out of range
    }

    @Test
    void dryEqualsItsDefinitionOnRandomTexts() {
        for (int round = 0; round < 200; round++) {
            int[] text = random.ints(1 + random.nextInt(30), 0, 3).toArray();
            Dry dry = new Dry(0.5, 1.3, 1 + random.nextInt(3), 1 + random.nextInt(40), List.of());
            double[] left =
                    left(after(GenerationOptions.builder().temperature(1).dry(dry), text), 5, 0, 0, 0, 0, 0, 0);
            int begin = Math.max(0, text.length - dry.range());
            for (int token = 0; token < 3; token++) {
                int longest = 0;
                for (int at = begin + 1; at < text.length; at++) {
                    int length = 0;
                    while (at - 1 - length >= begin && text[at - 1 - length] == text[text.length - 1 - length]) {
                        length++;
                    }
                    longest = text[at] == token ? Math.max(longest, length) : longest;
                }
                double expected =
                        longest < dry.allowedLength() ? 0 : -0.5 * Math.pow(1.3, longest - dry.allowedLength());
                assertThat(left[token])
                        .as("seed %d, text %s, %s, token %d", seed, Arrays.toString(text), dry, token)
                        .isCloseTo(expected, within(1e-5));
            }
        }
    }

    @Test
    void xtcSparesTheLeastProbableOfTheTopChoices() {
        GenerationOptions.Builder options =
                GenerationOptions.builder().temperature(1).seed(1).xtc(new Xtc(1, 0.1));
        float[] row = {(float) Math.log(0.5), (float) Math.log(0.25), (float) Math.log(0.15), NONE, NONE, -2.4f};
        TokenDistribution distribution = sampler(options).distribution(logits(row));
        assertThat(distribution.probabilityOf(0)).isZero();
        assertThat(distribution.probabilityOf(1)).isZero();
        assertThat(distribution.probabilityOf(2)).isPositive();
        assertThat(distribution.probabilityOf(5)).isPositive();
    }

    @Test
    void xtcKeepsASingleTopChoiceAndWorksAtItsShareOfThePositions() {
        GenerationOptions.Builder options =
                GenerationOptions.builder().temperature(1).seed(1).xtc(new Xtc(0.3, 0.4));
        assertThat(sampler(options.xtc(new Xtc(1, 0.4)))
                        .distribution(logits(3, 0, 0, 0, 0, 0))
                        .probabilityOf(0))
                .isGreaterThan(0.7);
        Sampler sampler = sampler(options.xtc(new Xtc(0.3, 0.4)));
        int excluded = 0;
        for (int position = 0; position < 4_000; position++) {
            FloatBuffer row = logits(2, 2, -9, -9, -9, -9);
            boolean first = sampler.distribution(row).probabilityOf(0) == 0;
            assertThat(sampler.distribution(row).probabilityOf(0) == 0).isEqualTo(first); // of one position
            excluded += first ? 1 : 0;
            sampler.accept(0);
        }
        assertThat(excluded / 4_000.0).isCloseTo(0.3, within(0.03)); // four standard deviations
    }

    @Test
    void mirostatReachesItsTarget() {
        int vocabulary = 2_000;
        float[] row = new float[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            row[i] = (float) (-1.1 * Math.log(i + 1)); // Zipf
        }
        for (double tau : new double[] {2, 4}) {
            GenerationOptions options = GenerationOptions.builder()
                    .temperature(1)
                    .seed(3)
                    .mirostat(new Mirostat(tau, 0.1))
                    .build();
            Sampler sampler = Sampler.of(options, vocabulary);
            double surprise = 0;
            int drawn = 0;
            for (int i = 0; i < 3_000; i++) {
                TokenDistribution distribution = sampler.distribution(FloatBuffer.wrap(row));
                int token = distribution.draw(new Random(i).nextDouble());
                if (i >= 500) {
                    surprise -= Math.log(distribution.probabilityOf(token)) / Math.log(2);
                    drawn++;
                }
                sampler.accept(token);
            }
            assertThat(surprise / drawn).isCloseTo(tau, within(0.1));
        }
    }

    @Test
    void endTokensAreForbiddenUntilTheMinimumIsReached() {
        Sampler sampler = sampler(GenerationOptions.builder().minTokens(2));
        assertThat(sampler.next(logits(0, 1, 0, 0, 0, 9))).isEqualTo(1);
        assertThat(sampler.next(logits(0, 1, 0, 0, 0, 9))).isEqualTo(1);
        assertThat(sampler.next(logits(0, 1, 0, 0, 0, 9))).isEqualTo(5);
    }

    @Test
    void noSequenceOfThreeTokensOccursTwice() {
        Sampler sampler =
                Sampler.of(GenerationOptions.builder().noRepeatNgram(3).build(), VOCABULARY);
        List<Integer> text = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            float[] row = new float[VOCABULARY];
            for (int id = 0; id < VOCABULARY; id++) {
                row[id] = random.nextFloat();
            }
            text.add(sampler.next(logits(row)));
        }
        Set<List<Integer>> seen = new HashSet<>();
        for (int i = 0; i + 3 <= text.size(); i++) {
            assertThat(seen.add(text.subList(i, i + 3)))
                    .as("seed %d, at %d of %s", seed, i, text)
                    .isTrue();
        }
    }

    @Test
    void aBadWordIsNotCompletedAndASingleEndTokenIsIgnored() {
        Sampler sampler = sampler(GenerationOptions.builder().badWords(List.of(List.of(5), List.of(1, 2))));
        assertThat(sampler.next(logits(0, 0, 9, 0, 0, 0))).isEqualTo(2);
        assertThat(sampler.next(logits(0, 9, 0, 0, 0, 0))).isEqualTo(1);
        assertThat(sampler.next(logits(0, 0, 9, 1, 0, 0))).isEqualTo(3);
        assertThat(sampler.next(logits(0, 0, 0, 0, 0, 9))).isEqualTo(5);
    }

    @Test
    void aProcessorSeesTheTokensAndChangesTheLogits() {
        List<String> calls = new ArrayList<>();
        Sampler sampler = sampler(GenerationOptions.builder().logitsProcessors(List.of((tokens, prompt, row) -> {
            calls.add(Arrays.toString(tokens) + " " + prompt);
            row[0] = NONE;
        })));
        sampler.observePrompt(new int[] {3, 4});
        assertThat(sampler.next(logits(9, 1, 0, 0, 0, 0))).isEqualTo(1);
        assertThat(sampler.next(logits(9, 0, 1, 0, 0, 0))).isEqualTo(2);
        assertThat(calls).containsExactly("[3, 4] 2", "[3, 4, 1] 2");
    }

    @Test
    void logProbabilitiesAreTheModelsOwn() {
        Sampler sampler =
                sampler(GenerationOptions.builder().temperature(2).topK(1).logitBias(Map.of(0, NONE)));
        float[] row = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2), NONE, NONE, NONE};
        TokenLogProbability actual = sampler.logProbability(logits(row), 2, 2);
        assertThat(actual.token()).isEqualTo(2);
        assertThat(actual.text()).isEqualTo("x2");
        assertThat(actual.logProbability()).isCloseTo(Math.log(0.2), within(1e-6));
        assertThat(actual.top()).extracting(TokenLogProbability::token).containsExactly(0, 1);
        assertThat(actual.top().get(0).logProbability()).isCloseTo(Math.log(0.5), within(1e-6));
        assertThat(sampler.logProbability(logits(row), 0, 0).top()).isEmpty();
    }

    @Test
    void sequencesOutsideTheVocabularyAreRefused() {
        assertThatThrownBy(() -> sampler(GenerationOptions.builder().sequenceBias(Map.of(List.of(1, 6), 1f))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sequenceBias must name token ids in [0, 6) but named 6");
        assertThatThrownBy(() -> sampler(GenerationOptions.builder().badWords(List.of(List.of(-1)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("badWords must name token ids in [0, 6) but named -1");
    }

    @Test
    void theExponentialIsExactToElevenDigits() {
        for (double x = 0; x < 700; x += random.nextDouble()) {
            assertThat(Exponential.ofMinus(x) / Math.exp(-x))
                    .as("seed %d, x = %s", seed, x)
                    .isCloseTo(1, within(1e-11));
        }
        assertThat(Exponential.ofMinus(0)).isOne();
        assertThat(Exponential.ofMinus(Double.POSITIVE_INFINITY)).isZero();
    }
}
