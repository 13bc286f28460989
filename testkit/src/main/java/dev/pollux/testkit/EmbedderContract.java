package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Embedder} promises, as tests: implement {@link #open()} in a test class and they run.
 *
 * <pre>{@code
 * class MyEmbedderTest implements EmbedderContract {
 *     public Embedder open() {
 *         return MyEmbedder.open(folder);
 *     }
 * }
 * }</pre>
 */
@NoLeaks
public interface EmbedderContract {

    /** Rounding of a sum of some hundred squares in single precision. */
    float UNIT_TOLERANCE = 1e-4f;

    /** What a padded batch may change in a float model; a quantized one must not batch unlike lengths at all. */
    float BATCH_TOLERANCE = 1e-5f;

    /** A newly opened embedder; each test closes the one it asked for. */
    Embedder open();

    /** Whether a text over the limit is refused, as the interface has it by default; false where it is windowed. */
    default boolean refusesLongTexts() {
        return true;
    }

    @Test
    default void everyVectorHasTheDimensionAndLengthOne() {
        try (Embedder embedder = open()) {
            for (TextRole role : TextRole.values()) {
                float[][] vectors = embedder.embed(texts(), role); // (texts, dimension)
                assertThat(vectors.length).isEqualTo(texts().size());
                for (float[] vector : vectors) {
                    assertThat(vector).hasSize(embedder.info().dimension());
                    assertThat(norm(vector)).isCloseTo(1f, within(UNIT_TOLERANCE));
                }
            }
        }
    }

    @Test
    default void aTextHasTheSameVectorAloneAndAmongOthers() {
        try (Embedder embedder = open()) {
            float[][] together = embedder.embed(texts(), TextRole.PASSAGE); // (texts, dimension)
            for (int i = 0; i < together.length; i++) {
                float[] alone = embedder.embed(List.of(texts().get(i)), TextRole.PASSAGE)[0];
                assertThat(alone).containsExactly(together[i], within(BATCH_TOLERANCE));
            }
        }
    }

    @Test
    default void noTextsGiveNoVectors() {
        try (Embedder embedder = open()) {
            assertThat(embedder.embed(List.of(), TextRole.PASSAGE).length).isZero();
        }
    }

    @Test
    default void differentTextsHaveDifferentVectors() {
        try (Embedder embedder = open()) {
            float[][] vectors = embedder.embed(texts(), TextRole.PASSAGE); // (texts, dimension)
            assertThat(vectors[0]).isNotEqualTo(vectors[1]);
        }
    }

    @Test
    default void threadsAtTheSameTimeGetTheSameVectors() {
        try (Embedder embedder = open()) {
            float[][] expected = embedder.embed(texts(), TextRole.PASSAGE); // (texts, dimension)
            List<CompletableFuture<float[][]>> runs = IntStream.range(0, 4)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> embedder.embed(texts(), TextRole.PASSAGE)))
                    .toList();
            for (CompletableFuture<float[][]> run : runs) {
                float[][] actual = run.join(); // (texts, dimension)
                for (int i = 0; i < expected.length; i++) {
                    assertThat(actual[i]).containsExactly(expected[i], within(BATCH_TOLERANCE));
                }
            }
        }
    }

    @Test
    default void aTextOverTheLimitIsNeverCutSilently() {
        try (Embedder embedder = open()) {
            String text = "word ".repeat(embedder.info().maxTokens() + 1);
            assertThat(embedder.countTokens(text)).isGreaterThan(embedder.info().maxTokens());
            if (refusesLongTexts()) {
                assertThatThrownBy(() -> embedder.embed(List.of(text), TextRole.PASSAGE))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(Integer.toString(embedder.info().maxTokens()));
            } else {
                assertThat(norm(embedder.embed(List.of(text), TextRole.PASSAGE)[0]))
                        .isCloseTo(1f, within(UNIT_TOLERANCE));
            }
        }
    }

    @Test
    default void anInterruptEndsTheCallAndTheThreadStaysInterrupted() {
        try (Embedder embedder = open()) {
            Interrupted.isRefused(() -> embedder.embed(texts(), TextRole.PASSAGE));
            assertThat(embedder.embed(texts(), TextRole.PASSAGE).length).isEqualTo(texts().size());
        }
    }

    @Test
    default void countTokensGrowsWithTheText() {
        try (Embedder embedder = open()) {
            assertThat(embedder.countTokens("one"))
                    .isPositive()
                    .isLessThan(embedder.countTokens("one two three four five six"));
        }
    }

    @Test
    default void closingTwiceIsClosingOnceAndUseAfterwardsIsAnError() {
        Embedder embedder = open();
        embedder.close();
        embedder.close();
        assertThatThrownBy(() -> embedder.embed(List.of("late"), TextRole.QUERY))
                .isInstanceOf(IllegalStateException.class);
    }

    private static List<String> texts() {
        return List.of(
                "Models are merged by averaging their weights.",
                "The soup wants salt.",
                "",
                "A longer text of two sentences. It speaks of retrieval, of indexes and of the vectors that they keep.");
    }

    private static float norm(float[] vector) { // (dimension)
        double sum = 0;
        for (float x : vector) {
            sum += (double) x * x;
        }
        return (float) Math.sqrt(sum);
    }
}
