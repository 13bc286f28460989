package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The sampler against the definitions, written down without any care for speed. */
class SamplerPropertyTest {

    /** Sums of at most some hundred doubles, in another order. */
    private static final double ROUNDING = 1e-9;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    private float[] row(int vocabulary) {
        float[] row = new float[vocabulary];
        float step = random.nextBoolean() ? 0 : 0.5f; // now and then with many ties
        for (int i = 0; i < vocabulary; i++) {
            float value = (float) (random.nextGaussian() * 3);
            row[i] = step == 0 ? value : Math.round(value / step) * step;
        }
        return row;
    }

    private GenerationOptions.Builder options() {
        return GenerationOptions.builder().temperature(0.3 + random.nextDouble() * 1.5);
    }

    private static double[] softmax(float[] row, double temperature) {
        double most = Double.NEGATIVE_INFINITY;
        for (float value : row) {
            most = Math.max(most, value / temperature);
        }
        double[] p = new double[row.length];
        double sum = 0;
        for (int i = 0; i < row.length; i++) {
            p[i] = Math.exp(row[i] / temperature - most);
            sum += p[i];
        }
        for (int i = 0; i < row.length; i++) {
            p[i] /= sum;
        }
        return p;
    }

    private static Set<Integer> tokens(TokenDistribution distribution) {
        Set<Integer> tokens = new HashSet<>();
        for (int i = 0; i < distribution.size(); i++) {
            tokens.add(distribution.token(i));
        }
        assertThat(tokens).hasSize(distribution.size());
        return tokens;
    }

    /** The full distribution, restricted to {@code kept} and made to sum to 1. */
    private void assertRestricted(TokenDistribution actual, double[] p, Set<Integer> kept) {
        double mass = kept.stream().mapToDouble(id -> p[id]).sum();
        assertThat(tokens(actual)).as("seed %d", seed).isEqualTo(kept);
        for (int id = 0; id < p.length; id++) {
            assertThat(actual.probabilityOf(id))
                    .as("seed %d, token %d", seed, id)
                    .isCloseTo(kept.contains(id) ? p[id] / mass : 0, within(ROUNDING));
        }
    }

    @Test
    void topKKeepsTheBestAndTheTiesOfTheLast() {
        for (int round = 0; round < 200; round++) {
            float[] row = row(1 + random.nextInt(120));
            int k = 1 + random.nextInt(row.length + 3);
            GenerationOptions options = options().topK(k).build();
            float[] sorted = row.clone();
            java.util.Arrays.sort(sorted);
            float least = sorted[Math.max(0, row.length - k)];
            Set<Integer> kept = new HashSet<>();
            IntStream.range(0, row.length).filter(id -> row[id] >= least).forEach(kept::add);
            TokenDistribution actual = Sampler.of(options, row.length).distribution(FloatBuffer.wrap(row));
            assertRestricted(actual, softmax(row, options.temperature()), kept);
        }
    }

    @Test
    void topPKeepsTheFewestBestThatReachTheMass() {
        for (int round = 0; round < 200; round++) {
            float[] row = row(1 + random.nextInt(120));
            GenerationOptions options =
                    options().topP(0.05 + 0.9 * random.nextDouble()).build();
            double[] p = softmax(row, options.temperature());
            List<Integer> order =
                    new ArrayList<>(IntStream.range(0, row.length).boxed().toList());
            order.sort(Comparator.comparingDouble((Integer id) -> -row[id]));
            Set<Integer> kept = new HashSet<>();
            double mass = 0;
            for (int i = 0; i < order.size() && mass < options.topP(); i++) {
                kept.add(order.get(i));
                mass += p[order.get(i)];
            }
            TokenDistribution actual = Sampler.of(options, row.length).distribution(FloatBuffer.wrap(row));
            assertRestricted(actual, p, kept);
        }
    }

    @Test
    void minPKeepsWhatHasItsShareOfTheBest() {
        for (int round = 0; round < 200; round++) {
            float[] row = row(1 + random.nextInt(120));
            GenerationOptions options =
                    options().minP(0.01 + 0.9 * random.nextDouble()).build();
            double[] p = softmax(row, options.temperature());
            double best = java.util.Arrays.stream(p).max().orElseThrow();
            Set<Integer> kept = new HashSet<>();
            IntStream.range(0, row.length)
                    .filter(id -> p[id] >= options.minP() * best)
                    .forEach(kept::add);
            TokenDistribution actual = Sampler.of(options, row.length).distribution(FloatBuffer.wrap(row));
            assertRestricted(actual, p, kept);
        }
    }

    @Test
    void penaltiesAreThoseOfTheTokensBefore() {
        for (int round = 0; round < 200; round++) {
            int vocabulary = 2 + random.nextInt(60);
            GenerationOptions options = GenerationOptions.builder()
                    .temperature(1)
                    .repetitionPenalty(random.nextBoolean() ? 1 : 1.5)
                    .presencePenalty(random.nextInt(3) * 0.25)
                    .frequencyPenalty(random.nextInt(3) * 0.5)
                    .build();
            Sampler sampler = Sampler.of(options, vocabulary);
            int[] prompt = random.ints(random.nextInt(100), 0, vocabulary).toArray();
            int[] output = random.ints(random.nextInt(100), 0, vocabulary).toArray();
            sampler.observePrompt(prompt);
            java.util.Arrays.stream(output).forEach(sampler::accept);
            float[] row = row(vocabulary);
            float[] penalized = row.clone();
            for (int id = 0; id < vocabulary; id++) {
                int token = id;
                long count = java.util.Arrays.stream(output)
                        .filter(one -> one == token)
                        .count();
                boolean present = count > 0 || java.util.Arrays.stream(prompt).anyMatch(one -> one == token);
                float penalty = (float) (present ? options.repetitionPenalty() : 1);
                penalized[id] = penalized[id] < 0 ? penalized[id] * penalty : penalized[id] / penalty;
                if (count > 0) {
                    penalized[id] -= (float) (options.presencePenalty() + options.frequencyPenalty() * count);
                }
            }
            double[] expected = softmax(penalized, 1);
            TokenDistribution actual = sampler.distribution(FloatBuffer.wrap(row));
            for (int id = 0; id < vocabulary; id++) {
                assertThat(actual.probabilityOf(id))
                        .as("seed %d, round %d, token %d", seed, round, id)
                        .isCloseTo(expected[id], within(ROUNDING));
            }
        }
    }

    @Test
    void aSamplerThatWasUsedForOtherRowsGivesWhatANewOneGives() {
        for (int round = 0; round < 50; round++) {
            int vocabulary = 1 + random.nextInt(200);
            GenerationOptions options = options()
                    .topK(random.nextInt(vocabulary + 1))
                    .topP(0.1 + 0.9 * random.nextDouble())
                    .minP(random.nextDouble() * 0.2)
                    .typicalP(0.1 + 0.9 * random.nextDouble())
                    .build();
            Sampler used = Sampler.of(options, vocabulary);
            for (int step = 0; step < 10; step++) {
                FloatBuffer row = FloatBuffer.wrap(row(vocabulary));
                TokenDistribution expected = Sampler.of(options, vocabulary).distribution(row);
                TokenDistribution actual = used.distribution(row);
                assertThat(actual.size()).as("seed %d", seed).isEqualTo(expected.size());
                for (int i = 0; i < actual.size(); i++) {
                    assertThat(actual.token(i)).as("seed %d", seed).isEqualTo(expected.token(i));
                    assertThat(actual.probability(i)).as("seed %d", seed).isEqualTo(expected.probability(i));
                }
            }
        }
    }

    @Test
    void theSeedGivesOneNumberAToken() {
        float[] row = row(80);
        GenerationOptions options = options().seed(9).build();
        java.util.SplittableRandom draws = new java.util.SplittableRandom(9);
        Sampler sampler = Sampler.of(options, row.length);
        Sampler other = Sampler.of(options, row.length);
        for (int i = 0; i < 20; i++) {
            int due = other.distribution(FloatBuffer.wrap(row)).draw(draws.nextDouble());
            other.accept(due);
            assertThat(sampler.next(FloatBuffer.wrap(row))).as("seed %d", seed).isEqualTo(due);
        }
    }
}
