package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Constraints in the sampler: what is masked, when, and that a constraint follows the tokens. */
class TokenConstraintTest {

    /** One of some sequences of tokens. */
    private record OneOf(List<int[]> choices, int position) implements TokenConstraint {
        @Override
        public void mask(long[] allowed) {
            Arrays.fill(allowed, 0);
            choices.forEach(choice -> allowed[choice[position] / 64] |= 1L << choice[position]);
        }

        @Override
        public TokenConstraint after(int token) {
            return new OneOf(
                    choices.stream().filter(choice -> choice[position] == token).toList(), position + 1);
        }
    }

    /** Always the same tokens. */
    private record Only(BitSet tokens) implements TokenConstraint {
        @Override
        public void mask(long[] allowed) {
            for (int id = 0; id < allowed.length * 64; id++) {
                if (!tokens.get(id)) {
                    allowed[id / 64] &= ~(1L << id);
                }
            }
        }

        @Override
        public TokenConstraint after(int token) {
            return this;
        }
    }

    private static TokenConstraint only(int... tokens) {
        BitSet set = new BitSet();
        Arrays.stream(tokens).forEach(set::set);
        return new Only(set);
    }

    private static FloatBuffer logits(float... values) {
        return FloatBuffer.wrap(values);
    }

    @Test
    void theBestOfTheAllowedIsTaken() {
        Sampler sampler = Sampler.of(GenerationOptions.DEFAULTS, Sampler.Vocabulary.of(4), only(0, 2));
        assertThat(sampler.next(logits(1, 9, 2, 8))).isEqualTo(2);
    }

    @Test
    void theConstraintFollowsTheTokensThatWereAccepted() {
        TokenConstraint choices = new OneOf(List.of(new int[] {3, 70, 1}, new int[] {3, 5, 2}, new int[] {9, 9, 9}), 0);
        float[] flat = new float[100];
        flat[70] = 1;
        Sampler sampler = Sampler.of(GenerationOptions.DEFAULTS, Sampler.Vocabulary.of(100), choices);
        List<Integer> tokens = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tokens.add(sampler.next(FloatBuffer.wrap(flat)));
        }
        assertThat(tokens).containsExactly(3, 70, 1);
    }

    @Test
    void aDistributionThatIsNotAcceptedMovesNothing() {
        TokenConstraint choices = new OneOf(List.of(new int[] {1, 2}, new int[] {2, 1}), 0);
        Sampler sampler = Sampler.of(GenerationOptions.DEFAULTS, Sampler.Vocabulary.of(4), choices);
        assertThat(sampler.distribution(logits(0, 1, 2, 3)).token(0)).isEqualTo(2);
        assertThat(sampler.distribution(logits(0, 2, 1, 3)).token(0)).isEqualTo(1);
        sampler.accept(2);
        assertThat(sampler.distribution(logits(0, 1, 2, 3)).token(0)).isEqualTo(1);
    }

    @Test
    void tokensAreMaskedBeforeTheCuts() {
        GenerationOptions best =
                GenerationOptions.builder().temperature(1).topK(1).build();
        Sampler sampler = Sampler.of(best, Sampler.Vocabulary.of(4), only(0, 2));
        TokenDistribution distribution = sampler.distribution(logits(1, 9, 2, 8));
        assertThat(distribution.size()).isOne();
        assertThat(distribution.probabilityOf(2)).isOne();
    }

    @Test
    void aBiasDoesNotAllowWhatTheConstraintForbids() {
        GenerationOptions biased =
                GenerationOptions.builder().logitBias(Map.of(1, 100f)).build();
        assertThat(Sampler.of(biased, Sampler.Vocabulary.of(3), only(2)).next(logits(0, 0, 0)))
                .isEqualTo(2);
    }

    @Test
    void promptsAreNotConstrained() {
        Sampler sampler = Sampler.of(
                GenerationOptions.DEFAULTS, Sampler.Vocabulary.of(4), new OneOf(List.of(new int[] {1, 2}), 0));
        sampler.observePrompt(new int[] {3, 3, 3});
        assertThat(sampler.next(logits(0, 0, 0, 9))).isEqualTo(1);
    }

    @Test
    void nothingAllowedIsAnErrorAlsoWhereTheBestIsTaken() {
        for (double temperature : new double[] {0, 1}) {
            GenerationOptions options =
                    GenerationOptions.builder().temperature(temperature).build();
            assertThatThrownBy(() -> Sampler.of(options, Sampler.Vocabulary.of(3), only())
                            .next(logits(1, 2, 3)))
                    .isInstanceOf(ModelExecutionException.class)
                    .hasMessage("No token can be drawn: the constraint forbids every token that the model can write; "
                            + "loosen the constraint");
        }
    }

    @Test
    void aLogitThatIsNoNumberIsAnErrorAlsoWhereItIsForbidden() {
        assertThatThrownBy(() -> Sampler.of(GenerationOptions.DEFAULTS, Sampler.Vocabulary.of(3), only(0))
                        .next(logits(1, 2, Float.NaN)))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage("The logit of token 2 is not a number; the model file is damaged or its export is faulty: "
                        + "export it again");
    }

    /** Against a constraint that is nothing but a bias of minus infinity. */
    @Test
    void aConstraintIsABiasOfMinusInfinityOnWhatItForbids() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            int vocabulary = 1 + random.nextInt(200);
            float[] row = new float[vocabulary];
            BitSet allowed = new BitSet();
            Map<Integer, Float> bias = new java.util.HashMap<>();
            for (int id = 0; id < vocabulary; id++) {
                row[id] = (float) (random.nextGaussian() * 3);
                allowed.set(id, random.nextInt(3) > 0);
            }
            allowed.set(random.nextInt(vocabulary));
            for (int id = 0; id < vocabulary; id++) {
                if (!allowed.get(id)) {
                    bias.put(id, Float.NEGATIVE_INFINITY);
                }
            }
            GenerationOptions options = GenerationOptions.builder()
                    .temperature(random.nextInt(4) == 0 ? 0 : 0.5 + random.nextDouble())
                    .topK(random.nextInt(2) * (1 + random.nextInt(vocabulary)))
                    .topP(random.nextBoolean() ? 1 : 0.2 + 0.8 * random.nextDouble())
                    .minP(random.nextBoolean() ? 0 : random.nextDouble() * 0.3)
                    .typicalP(random.nextBoolean() ? 1 : 0.2 + 0.8 * random.nextDouble())
                    .repetitionPenalty(random.nextBoolean() ? 1 : 1.3)
                    .build();
            Sampler constrained = Sampler.of(options, Sampler.Vocabulary.of(vocabulary), new Only(allowed));
            Sampler biased = Sampler.of(options.toBuilder().logitBias(bias).build(), vocabulary);
            for (int step = 0; step < 3; step++) {
                TokenDistribution expected = biased.distribution(FloatBuffer.wrap(row));
                TokenDistribution actual = constrained.distribution(FloatBuffer.wrap(row));
                assertThat(listed(actual)).as("seed %d, round %d", seed, round).isEqualTo(listed(expected));
                assertThat(allowed.get(actual.token(0))).isTrue();
                constrained.accept(actual.token(0));
                biased.accept(actual.token(0));
            }
        }
    }

    private static Map<Integer, Double> listed(TokenDistribution distribution) {
        Map<Integer, Double> all = new java.util.TreeMap<>();
        for (int i = 0; i < distribution.size(); i++) {
            all.put(distribution.token(i), distribution.probability(i));
        }
        return all;
    }
}
