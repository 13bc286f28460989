package dev.pollux.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.embedding.TextRole;
import dev.pollux.job.Job;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Evidence;
import dev.pollux.twin.Twin;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The scale of an embedder, and a twin that compares by it. */
@NoLeaks
class SimilarityScaleTest {

    /** Vectors are floats. */
    private static final double ROUNDING = 1e-5;

    private static final List<String> PASSAGES = List.of(
            "The lighthouse at Cape Farrow was built of white stone in 1871. Its lamp burns rape oil and turns once a"
                    + " minute.",
            "# Harbour\n\n"
                    + "The harbour master lends rowing boats on Sundays. Boats return before the evening bell rings.",
            "Fishermen dry their nets on the wall behind the chapel. A net lasts seven winters if it is tarred every"
                    + " spring.",
            "The ferry to the mainland leaves when the tide is high. Bicycles travel free, and horses pay half the"
                    + " fare.");

    /** Another embedder with the same ideas, for which all texts are much alike: cos' = a + (1 - a) cos. */
    private record Crowded(Embedder embedder, double a) implements Embedder {

        @Override
        public float[][] embed(List<String> texts, TextRole role) { // (texts, dimension + 1)
            return Arrays.stream(embedder.embed(texts, role))
                    .map(row -> {
                        float[] more = Arrays.copyOf(row, row.length + 1);
                        for (int i = 0; i < row.length; i++) {
                            more[i] *= (float) Math.sqrt(1 - a);
                        }
                        more[row.length] = (float) Math.sqrt(a);
                        return more;
                    })
                    .toArray(float[][]::new);
        }

        @Override
        public EmbedderInfo info() {
            return new EmbedderInfo(
                    "crowded",
                    "crowded",
                    embedder.info().dimension() + 1,
                    embedder.info().maxTokens());
        }

        @Override
        public int countTokens(String text) {
            return embedder.countTokens(text);
        }

        @Override
        public void close() {
            embedder.close();
        }
    }

    private static SimilarityScale measured(Embedder embedder) {
        return SimilarityScale.measuring(embedder, PASSAGES).run();
    }

    @Test
    void similaritiesOfDifferentEmbeddersMeanTheSameOnTheirScales() {
        try (Embedder plain = FakeEmbedder.open();
                Embedder crowded = new Crowded(plain, 0.75)) {
            SimilarityScale one = measured(plain);
            SimilarityScale other = measured(crowded);
            assertThat(other.unrelated()).isCloseTo(0.75 + 0.25 * one.unrelated(), within(ROUNDING));
            assertThat(other.own()).isCloseTo(0.75 + 0.25 * one.own(), within(ROUNDING));
            assertThat(one.sentences()).isEqualTo(other.sentences()).isBetween(32, 128);
            for (double similarity : new double[] {-0.2, 0, 0.1, 0.5, 0.9, 1}) {
                assertThat(other.of(0.75 + 0.25 * similarity)).isCloseTo(one.of(similarity), within(1e-3));
            }
        }
    }

    @Test
    void unrelatedIsNoughtAndOwnIsTheSameForAll() {
        SimilarityScale scale = new SimilarityScale(0.7, 0.9, 100);
        assertThat(scale.of(0.7)).isZero();
        assertThat(scale.of(-1)).isZero();
        assertThat(scale.of(0.9)).isCloseTo(SimilarityScale.OWN, within(1e-12));
        assertThat(scale.of(0.8)).isCloseTo(SimilarityScale.OWN / 2, within(1e-12));
        assertThat(scale.of(1)).isEqualTo(1);
        assertThat(SimilarityScale.NONE.of(0.3)).isCloseTo(0.3, within(1e-12));
        assertThat(scale).hasToString("0.700 unrelated, 0.900 own, of 100 sentences");
        assertThat(SimilarityScale.NONE).hasToString("not measured");
    }

    @Test
    void aTwinGivesTheSameEvidenceWithEither() {
        List<Hit> hits = IntStream.range(0, PASSAGES.size())
                .mapToObj(i -> new Hit(
                        new Passage(
                                "" + i,
                                "cape.md",
                                List.of(),
                                PASSAGES.get(i),
                                i * 1000,
                                i * 1000 + PASSAGES.get(i).length(),
                                Location.lines(1, 1),
                                Map.of()),
                        1))
                .toList();
        try (Embedder plain = FakeEmbedder.open();
                Embedder crowded = new Crowded(plain, 0.75)) {
            for (String question : List.of(
                    "What was the lighthouse built of?",
                    "Who lends rowing boats on Sundays?",
                    "Which church bell was cast in bronze?",
                    "How much do horses pay for the ferry?")) {
                Answer one = answer(plain, hits, question);
                Answer other = answer(crowded, hits, question);
                assertThat(other.kind()).as(question).isEqualTo(one.kind());
                assertThat(other.text()).isEqualTo(one.text());
                assertThat(other.evidence().stream()
                                .mapToDouble(Evidence::score)
                                .toArray())
                        .usingComparatorWithPrecision(1e-3)
                        .containsExactly(one.evidence().stream()
                                .mapToDouble(Evidence::score)
                                .toArray());
            }
        }
    }

    private static Answer answer(Embedder embedder, List<Hit> hits, String question) {
        SimilarityScale scale = measured(embedder);
        return Twin.builder()
                .retriever(query -> hits)
                .embedder(embedder)
                .scale(() -> scale)
                .build()
                .ask(question);
    }

    @Test
    void aCollectionWithoutSentencesIsMeasuredOnEverydayOnes() {
        try (FakeEmbedder embedder = FakeEmbedder.open()) {
            SimilarityScale scale = SimilarityScale.measuring(embedder, List.of("# Title", "Short."))
                    .run();
            assertThat(scale.sentences()).isEqualTo(32);
            assertThat(scale.own()).isGreaterThan(scale.unrelated() + 0.3);
            assertThat(embedder.textsEmbedded()).isEqualTo(64);
        }
    }

    @Test
    void anEmbedderThatTellsNothingApartHasNoScale() {
        try (Embedder embedder = new Crowded(FakeEmbedder.open(), 0.999)) {
            assertThat(measured(embedder)).isEqualTo(SimilarityScale.NONE);
        }
    }

    @Test
    void aMeasurementCanBeCancelled() {
        try (FakeEmbedder embedder = FakeEmbedder.open()) {
            Job<SimilarityScale> job = SimilarityScale.measuring(embedder, PASSAGES);
            job.onEvent(event -> job.cancel());
            assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
            assertThat(embedder.textsEmbedded()).isZero();
        }
    }

    @Test
    void aScaleOfNoExtentIsRefused() {
        assertThatThrownBy(() -> new SimilarityScale(0.5, 0.5, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unrelated and own must be in [-1, 1] and unrelated the lower but were 0.5 and 0.5");
        assertThatThrownBy(() -> new SimilarityScale(0, Double.NaN, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unrelated and own must be in [-1, 1] and unrelated the lower but were 0.0 and NaN");
        assertThatThrownBy(() -> new SimilarityScale(0, 0.5, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sentences must be at least 0 but was -1");
    }
}
