package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import java.util.List;
import org.junit.jupiter.api.Test;

class FakeEmbedderTest implements EmbedderContract {

    @Override
    public Embedder open() {
        return FakeEmbedder.open();
    }

    @Test
    void textsThatShareWordsAreNear() {
        try (FakeEmbedder embedder = FakeEmbedder.open()) {
            float[] question = embedder.embed(List.of("How are models merged?"), TextRole.QUERY)[0];
            float[][] passages = embedder.embed(
                    List.of("Two models are merged by averaging.", "The soup wants salt."), TextRole.PASSAGE);
            assertThat(dot(question, passages[0])).isGreaterThan(0.4f);
            assertThat(dot(question, passages[1])).isLessThan(0.2f);
            assertThat(embedder.textsEmbedded()).isEqualTo(3);
        }
    }

    @Test
    void aTextOverTheLimitIsRefusedByItsNumbers() {
        try (FakeEmbedder embedder = FakeEmbedder.open(16, 4)) {
            assertThatThrownBy(() -> embedder.embed(List.of("one two three"), TextRole.PASSAGE))
                    .hasMessage("A text has 5 tokens but the model reads 4; split it");
        }
    }

    private static float dot(float[] a, float[] b) { // (dimension) each
        float sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
