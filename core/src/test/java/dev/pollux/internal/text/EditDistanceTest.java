package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EditDistanceTest {

    @ParameterizedTest
    @CsvSource({
        "merge, merge, 0",
        "merge, merg, 1",
        "merge, marge, 1",
        "merge, emrge, 1",
        "ca, abc, 3",
        "'', ties, 4",
        "kitten, sitting, 3"
    })
    void countsEditsAndSwapsOfNeighbours(String a, String b, int distance) {
        assertThat(EditDistance.of(a, b)).isEqualTo(distance);
        assertThat(EditDistance.of(b, a)).isEqualTo(distance);
    }

    @Test
    void isBoundedByLengths() {
        long seed = 20261130;
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            String a = word(random);
            String b = word(random);
            assertThat(EditDistance.of(a, b))
                    .as("seed %d: %s, %s", seed, a, b)
                    .isBetween(Math.abs(a.length() - b.length()), Math.max(a.length(), b.length()));
        }
    }

    private static String word(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(9); i > 0; i--) {
            word.append((char) ('a' + random.nextInt(3)));
        }
        return word.toString();
    }
}
