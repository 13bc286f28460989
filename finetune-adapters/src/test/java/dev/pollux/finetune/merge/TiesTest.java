package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/** The election of TIES without masks against the words of its formula. */
class TiesTest {

    /** Sums of a few floats of about 1. */
    private static final Offset<Double> ROUNDING = Offset.offset(1e-6);

    @RepeatedTest(20)
    void electedMeanIsThatOfTheModelsOfTheMajority(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int n = 1 + random.nextInt(4);
        int elements = 64;
        float[][] sources = new float[n + 1][elements];
        List<Double> weights = new ArrayList<>();
        for (int i = 1; i <= n; i++) {
            weights.add((random.nextInt(9) - 3) / 4.0);
            for (int j = 0; j < elements; j++) {
                sources[i][j] = (random.nextInt(5) - 2) / 8f; // exact zeros and exact ties
            }
        }
        for (boolean normalize : new boolean[] {true, false}) {
            float[] merged = FakeWindows.of(8, sources)
                    .merge(new Ties(weights, Collections.nCopies(n, 1.0), new TaskSum(true, normalize, 0.5, false)));
            for (int j = 0; j < elements; j++) {
                assertThat((double) merged[j])
                        .as("seed %s, element %s", seed, j)
                        .isCloseTo(0.5 * elected(sources, weights, normalize, j), ROUNDING);
            }
        }
    }

    private static double elected(float[][] sources, List<Double> weights, boolean normalize, int j) {
        double sum = 0;
        for (int i = 0; i < weights.size(); i++) {
            sum += weights.get(i) * sources[i + 1][j];
        }
        double sign = sum >= 0 ? 1 : -1;
        double elected = 0;
        double share = 0;
        for (int i = 0; i < weights.size(); i++) {
            double weighted = weights.get(i) * sources[i + 1][j];
            if (Math.signum(weighted) == sign) {
                elected += weighted;
                share += weights.get(i);
            }
        }
        return normalize && share != 0 ? elected / share : elected;
    }
}
