package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SamplerTest {

    /** Four standard deviations of a share among 20,000 draws. */
    private static final double DRAW_TOLERANCE = 0.015;

    private static Sampler sampler(GenerationOptions.Builder options, int vocabulary) {
        return Sampler.of(options.build(), vocabulary);
    }

    private static FloatBuffer logits(float... values) {
        return FloatBuffer.wrap(values);
    }

    @Test
    void greedyTakesTheFirstOfTheBest() {
        assertThat(sampler(GenerationOptions.builder(), 4).next(logits(1, 3, 3, 2)))
                .isEqualTo(1);
    }

    @Test
    void drawsFollowTheDistribution() {
        Sampler sampler = sampler(GenerationOptions.builder().temperature(1).seed(5), 3);
        int[] counts = new int[3];
        for (int i = 0; i < 20_000; i++) {
            counts[sampler.next(logits((float) Math.log(1), (float) Math.log(2), (float) Math.log(5)))]++;
        }
        assertThat(counts[0] / 20_000.0).isCloseTo(1 / 8.0, within(DRAW_TOLERANCE));
        assertThat(counts[1] / 20_000.0).isCloseTo(2 / 8.0, within(DRAW_TOLERANCE));
        assertThat(counts[2] / 20_000.0).isCloseTo(5 / 8.0, within(DRAW_TOLERANCE));
    }

    @Test
    void oneSeedGivesOneSequence() {
        Random random = new Random(3);
        float[] row = new float[500];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) random.nextGaussian();
        }
        GenerationOptions.Builder options =
                GenerationOptions.builder().temperature(1.1).topP(0.9).seed(42);
        Sampler a = sampler(options, 500);
        Sampler b = sampler(options, 500);
        int[] first = random.ints(50).map(i -> a.next(logits(row))).toArray();
        int[] second = random.ints(50).map(i -> b.next(logits(row))).toArray();
        assertThat(first).isEqualTo(second);
        assertThat(Arrays.stream(first).distinct().count()).isGreaterThan(5);
    }

    @Test
    void penaltiesSeeWhatWasProducedAndThePromptOnlyByRepetition() {
        Sampler presence = sampler(GenerationOptions.builder().presencePenalty(2), 2);
        presence.observePrompt(new int[] {1});
        assertThat(presence.next(logits(0, 1))).isEqualTo(1);
        assertThat(presence.next(logits(0, 1))).isZero();
        Sampler repetition = sampler(GenerationOptions.builder().repetitionPenalty(4), 2);
        repetition.observePrompt(new int[] {1});
        assertThat(repetition.next(logits(0.5f, 1))).isZero();
    }

    @Test
    void biasForbidsAToken() {
        Sampler sampler = sampler(GenerationOptions.builder().logitBias(Map.of(1, Float.NEGATIVE_INFINITY)), 3);
        assertThat(sampler.next(logits(0, 9, 1))).isEqualTo(2);
    }

    @Test
    void aBiasOutsideTheVocabularyIsRefused() {
        assertThatThrownBy(() -> sampler(GenerationOptions.builder().logitBias(Map.of(7, 1f)), 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("logitBias must name token ids in [0, 3) but named 7");
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefused() {
        Sampler sampler = sampler(GenerationOptions.builder(), 3);
        assertThatThrownBy(() -> sampler.accept(3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token ids must be in [0, 3) but one was 3");
        assertThatThrownBy(() -> sampler.observePrompt(new int[] {0, -1}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token ids must be in [0, 3) but one was -1");
    }

    @Test
    void theDistributionOfGreedyDecodingIsItsToken() {
        TokenDistribution distribution = sampler(GenerationOptions.builder(), 4).distribution(logits(1, 3, 3, 2));
        assertThat(distribution.size()).isOne();
        assertThat(distribution.token(0)).isOne();
        assertThat(distribution.probability(0)).isOne();
        assertThat(distribution.probabilityOf(1)).isOne();
        assertThat(distribution.probabilityOf(2)).isZero();
        assertThat(distribution.draw(0.999)).isOne();
    }

    @Test
    void aLogitThatIsNoNumberIsAnError() {
        assertThatThrownBy(() -> sampler(GenerationOptions.builder(), 3).next(logits(0, Float.NaN, 1)))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage("The logit of token 1 is not a number; the model file is damaged or its export is faulty: "
                        + "export it again");
    }

    @Test
    void noTokenLeftIsAnError() {
        float none = Float.NEGATIVE_INFINITY;
        for (double temperature : new double[] {0, 1}) {
            Sampler sampler = sampler(GenerationOptions.builder().temperature(temperature), 2);
            assertThatThrownBy(() -> sampler.next(logits(none, none)))
                    .isInstanceOf(ModelExecutionException.class)
                    .hasMessage("No token can be drawn: the largest logit is -Infinity; loosen the biases and "
                            + "prohibitions of the options, or export the model again");
        }
    }
}
