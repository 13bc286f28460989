package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.embedding.TextRole;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class BundledEmbedderTest {

    /** A float vector of 384 components is of length 1 up to rounding. */
    private static final double UNIT = 1e-6;

    private static final List<String> TEXTS = List.of(
            "How do I merge two models?",
            "Merging takes two checkpoints of one architecture and combines their weights.",
            "The cat sat on the mat.",
            "a",
            "",
            "   ",
            "A kitten was sitting on the rug.",
            "Bread is baked from flour, water, salt and yeast, and it wants patience: an hour to rise, another to prove, "
                    + "and forty minutes in the oven until the crust is dark and the loaf sounds hollow.");

    private static OnnxEmbedder embedder;

    @BeforeAll
    static void open() {
        embedder = OnnxEmbedder.bundled();
    }

    @AfterAll
    static void close() {
        embedder.close();
    }

    @Test
    void saysWhatItIs() {
        assertThat(embedder.info().name()).isEqualTo("all-minilm-l6-v2-q");
        assertThat(embedder.info().dimension()).isEqualTo(384);
        assertThat(embedder.info().maxTokens()).isEqualTo(256);
        assertThat(embedder.info().fingerprint()).matches("[0-9a-f]{64}");
        assertThat(embedder.countTokens("Hello world")).isEqualTo(4); // [CLS] hello world [SEP]
        assertThat(embedder.countTokens("")).isEqualTo(2);
    }

    @Test
    void vectorsHaveLengthOne() {
        float[][] vectors = embedder.embed(TEXTS, TextRole.PASSAGE);
        assertThat(vectors).hasNumberOfRows(TEXTS.size());
        for (float[] vector : vectors) {
            assertThat(vector).hasSize(384);
            assertThat(dot(vector, vector)).isCloseTo(1, within(UNIT));
        }
    }

    @Test
    void similarTextsAreCloserThanOthers() {
        float[][] vectors = embedder.embed(TEXTS, TextRole.PASSAGE);
        assertThat(dot(vectors[0], vectors[1])).isGreaterThan(0.4).isGreaterThan(dot(vectors[0], vectors[2]) + 0.3);
        assertThat(dot(vectors[2], vectors[6])).isGreaterThan(0.4).isGreaterThan(dot(vectors[2], vectors[7]) + 0.3);
    }

    @Test
    void aTextHasTheSameBitsAloneAndAmongOthers() {
        float[][] together = embedder.embed(TEXTS, TextRole.PASSAGE);
        for (int i = 0; i < TEXTS.size(); i++) {
            assertThat(embedder.embed(List.of(TEXTS.get(i)), TextRole.PASSAGE)[0])
                    .isEqualTo(together[i]);
        }
        long seed = System.nanoTime();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < TEXTS.size(); i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(seed));
        float[][] shuffled = embedder.embed(order.stream().map(TEXTS::get).toList(), TextRole.PASSAGE);
        for (int i = 0; i < order.size(); i++) {
            assertThat(shuffled[i]).as("seed %d", seed).isEqualTo(together[order.get(i)]);
        }
    }

    @Test
    void theNumberOfWorkersChangesNoBit() {
        float[][] expected = embedder.embed(TEXTS, TextRole.PASSAGE);
        for (int workers : new int[] {1, 3, 8}) {
            try (OnnxEmbedder other = OnnxEmbedder.bundled(
                    EmbedderOptions.builder().workers(workers).build())) {
                assertThat(other.embed(TEXTS, TextRole.PASSAGE)).isDeepEqualTo(expected);
                assertThat(other.info()).isEqualTo(embedder.info());
            }
        }
    }

    @Test
    void tellsTextsApartThatShareTheirFirst150Tokens() {
        String start = "the quick brown fox jumps over the lazy dog and ".repeat(15);
        float[][] vectors = embedder.embed(
                List.of(
                        start + "then it sleeps in the warm barn until morning",
                        start + "quarterly revenue fell sharply"),
                TextRole.PASSAGE);
        assertThat(embedder.countTokens(start)).isBetween(150, 200);
        assertThat(dot(vectors[0], vectors[1])).isLessThan(0.99);
    }

    @Test
    void refusesATextThatIsTooLong() {
        String tooLong = "word ".repeat(300);
        assertThatThrownBy(() -> embedder.embed(List.of("short", tooLong), TextRole.PASSAGE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Text 1 has 302 tokens but all-minilm-l6-v2-q reads at most 256; split it, or open the embedder"
                                + " with LongText.WINDOWED");
        assertThatThrownBy(() -> embedder.embed(List.of(tooLong, "short", tooLong), TextRole.PASSAGE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Text 0 has 302 tokens but all-minilm-l6-v2-q reads at most 256 (1 more of 3 texts are too long);"
                                + " split it, or open the embedder with LongText.WINDOWED");
    }

    @Test
    void readsUpToItsPositionsWhenAsked() {
        EmbedderOptions all = EmbedderOptions.builder().maxTokens(512).build();
        try (OnnxEmbedder wide = OnnxEmbedder.bundled(all)) {
            assertThat(wide.embed(List.of("word ".repeat(510)), TextRole.PASSAGE)[0])
                    .hasSize(384);
            assertThat(wide.info().fingerprint()).isNotEqualTo(embedder.info().fingerprint());
        }
        EmbedderOptions tooWide = EmbedderOptions.builder().maxTokens(513).build();
        assertThatThrownBy(() -> OnnxEmbedder.bundled(tooWide))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "maxTokens must be at most 512, the positions of the model all-minilm-l6-v2-q, but was 513");
    }

    @Test
    void refusesAFileName() {
        assertThatThrownBy(() -> OnnxEmbedder.bundled(
                        EmbedderOptions.builder().file("model.onnx").build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("file must be absent for the bundled model but was model.onnx; open a folder instead");
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
