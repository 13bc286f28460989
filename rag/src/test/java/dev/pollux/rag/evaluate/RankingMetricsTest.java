package dev.pollux.rag.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Measures worked out by hand. */
class RankingMetricsTest {

    private static final Offset<Double> EXACT = within(1e-12);
    private static final double LOG2_3 = 1.584962500721156; // discount of rank 2
    private static final Map<String, Integer> GRADES = Map.of("a", 3, "b", 2, "c", 1, "n", 0, "bad", -1);
    private static final List<String> RANKING = List.of("n", "b", "x", "a", "bad", "c");

    @Test
    void ndcgIsGainOverIdealGain() {
        double ideal = 3 + 2 / LOG2_3 + 1 / 2.0;
        double log2of5 = Math.log(5) / Math.log(2);
        double log2of7 = Math.log(7) / Math.log(2);
        assertThat(RankingMetrics.ndcg(RANKING, GRADES, 10))
                .isEqualTo((2 / LOG2_3 + 3 / log2of5 + 1 / log2of7) / ideal, EXACT);
        assertThat(RankingMetrics.ndcg(RANKING, GRADES, 2)).isEqualTo(2 / LOG2_3 / (3 + 2 / LOG2_3), EXACT);
        assertThat(RankingMetrics.ndcg(List.of("a", "b", "c"), GRADES, 10)).isEqualTo(1, EXACT);
        assertThat(RankingMetrics.ndcg(List.of(), GRADES, 10)).isZero();
    }

    @Test
    void recallAndPrecisionCountTheRelevant() {
        assertThat(RankingMetrics.recall(RANKING, GRADES, 4)).isEqualTo(2 / 3.0, EXACT);
        assertThat(RankingMetrics.recall(RANKING, GRADES, 100)).isEqualTo(1, EXACT);
        assertThat(RankingMetrics.precision(RANKING, GRADES, 4)).isEqualTo(0.5, EXACT);
        assertThat(RankingMetrics.precision(RANKING, GRADES, 10)).isEqualTo(0.3, EXACT);
    }

    @Test
    void reciprocalRankLooksForTheFirst() {
        assertThat(RankingMetrics.reciprocalRank(RANKING, GRADES, 10)).isEqualTo(0.5, EXACT);
        assertThat(RankingMetrics.reciprocalRank(RANKING, GRADES, 1)).isZero();
    }

    @Test
    void averagePrecisionIsOverAllRelevant() {
        assertThat(RankingMetrics.averagePrecision(RANKING, GRADES, 10))
                .isEqualTo((1 / 2.0 + 2 / 4.0 + 3 / 6.0) / 3, EXACT);
        assertThat(RankingMetrics.averagePrecision(RANKING, GRADES, 4)).isEqualTo((1 / 2.0 + 2 / 4.0) / 3, EXACT);
    }

    @Test
    void aRepeatedDocumentCountsAtItsFirstPlace() {
        List<String> repeated = List.of("x", "x", "b", "b", "a");
        List<String> once = List.of("x", "b", "a");
        assertThat(RankingMetrics.ndcg(repeated, GRADES, 3)).isEqualTo(RankingMetrics.ndcg(once, GRADES, 3), EXACT);
        assertThat(RankingMetrics.averagePrecision(repeated, GRADES, 3))
                .isEqualTo(RankingMetrics.averagePrecision(once, GRADES, 3), EXACT);
    }

    @Test
    void whereNothingIsRelevantEverythingIsZero() {
        Map<String, Integer> none = Map.of("a", 0);
        assertThat(RankingMetrics.ndcg(List.of("a"), none, 10)).isZero();
        assertThat(RankingMetrics.recall(List.of("a"), none, 10)).isZero();
        assertThat(RankingMetrics.averagePrecision(List.of("a"), none, 10)).isZero();
        assertThat(RankingMetrics.reciprocalRank(List.of("a"), none, 10)).isZero();
    }

    @Test
    void aDepthBelowOneIsRefused() {
        assertThatThrownBy(() -> RankingMetrics.ndcg(List.of(), GRADES, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("k must be at least 1 but was 0");
    }
}
