package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class RetrieversTest {

    private static final Offset<Double> ROUNDING = within(1e-12);

    @Test
    void fusionSumsReciprocalRanks() {
        Retriever fused = Retrievers.fused(fixed("a", "b", "c"), fixed("c", "a", "d"));
        List<Hit> hits = fused.retrieve(Query.of("anything"));
        assertThat(ids(hits)).containsExactly("a", "c", "b", "d");
        assertThat(hits.get(0).score()).isCloseTo(1.0 / 61 + 1.0 / 62, ROUNDING);
        assertThat(hits.get(1).score()).isCloseTo(1.0 / 63 + 1.0 / 61, ROUNDING);
        assertThat(hits.get(2).score()).isCloseTo(1.0 / 62, ROUNDING);
        assertThat(hits.get(3).score()).isCloseTo(1.0 / 63, ROUNDING);
    }

    @Test
    void equalScoresKeepTheOrderOfTheArms() {
        assertThat(ids(Retrievers.fused(fixed("a"), fixed("b")).retrieve(Query.of("anything"))))
                .containsExactly("a", "b");
    }

    @Test
    void fusionReturnsAtMostTopKAndAsksItsArmsForMore() {
        List<Integer> asked = new ArrayList<>();
        Retriever arm = query -> {
            asked.add(query.topK());
            return fixed("a", "b", "c").retrieve(query);
        };
        Retriever fused = Retrievers.fused(1, List.of(arm));
        assertThat(ids(fused.retrieve(Query.of("anything", 2)))).containsExactly("a", "b");
        fused.retrieve(Query.of("anything", 500));
        assertThat(asked).containsExactly(100, 500);
    }

    @Test
    void aFusionConstantBelowOneIsRefused() {
        assertThatThrownBy(() -> Retrievers.fused(0, List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("k must be at least 1 but was 0");
        assertThat(Retrievers.fused().retrieve(Query.of("anything"))).isEmpty();
    }

    @Test
    void rerankingScoresTheDeepListAndCutsAfterwards() {
        Reranker byId = (query, texts) -> {
            float[] scores = new float[texts.size()]; // (texts)
            for (int i = 0; i < scores.length; i++) {
                scores[i] = texts.get(i).charAt(0);
            }
            return scores;
        };
        Retriever reranked = fixed("a", "b", "c", "d").reranked(byId, 3);
        List<Hit> hits = reranked.retrieve(Query.of("anything", 2));
        assertThat(ids(hits)).containsExactly("c", "b");
        assertThat(hits.get(0).score()).isEqualTo('c');
        assertThat(ids(reranked.retrieve(Query.of("anything", 4)))).containsExactly("d", "c", "b", "a");
    }

    @Test
    void aRerankingDepthOutOfRangeIsRefused() {
        Reranker zero = (query, texts) -> new float[texts.size()];
        assertThatThrownBy(() -> fixed("a").reranked(zero, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("depth must be in [1, 10000] but was 0");
        assertThatThrownBy(() -> fixed("a").reranked(zero, 10_001))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("depth must be in [1, 10000] but was 10001");
    }

    @Test
    void decoratorsPassOnAllOfTheQuery() {
        List<Query> asked = new ArrayList<>();
        Retriever arm = query -> {
            asked.add(query);
            return fixed("a", "b").retrieve(query);
        };
        Filter filter = Filter.equal("department", "hr");
        Query query = Query.of("anything", 2).withFilter(filter);
        Retrievers.fused(arm, arm).retrieve(query);
        arm.reranked((text, texts) -> new float[texts.size()], 30).retrieve(query);
        Retrievers.fused(arm.reranked((text, texts) -> new float[texts.size()], 1))
                .retrieve(query);
        assertThat(asked)
                .containsExactly(query.withTopK(100), query.withTopK(100), query.withTopK(30), query.withTopK(100));
    }

    @Test
    void aFilterThatIsFixedHoldsWithTheQuerysOwn() {
        List<Filter> asked = new ArrayList<>();
        Retriever arm = query -> {
            asked.add(query.filter());
            return List.of();
        };
        Filter tenant = Filter.equal("tenant", "a");
        Filter own = Filter.equal("tenant", "b").or(Filter.exists("public"));
        arm.filtered(tenant).retrieve(Query.of("anything"));
        arm.filtered(tenant).retrieve(Query.of("anything").withFilter(own));
        assertThat(asked).containsExactly(tenant, tenant.and(own));
        assertThat(asked.get(1)).hasToString("tenant = \"a\" and (tenant = \"b\" or exists public)");
    }

    @Test
    void aRetrieverThatCannotFilterSaysSo() {
        Retriever plain = query -> {
            query.requireUnfiltered("web search");
            return List.of();
        };
        assertThat(plain.retrieve(Query.of("anything"))).isEmpty();
        assertThatThrownBy(() -> plain.retrieve(Query.of("anything").withFilter(Filter.atLeast("year", 2024))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Retriever web search cannot filter but the query has the filter year >= 2024; use a retriever"
                                + " that can, such as a knowledge base's, or ask without a filter");
    }

    @Test
    void aQueryIsChangedInOnePart() {
        Query query = Query.of("merge");
        assertThat(query.filter()).isEqualTo(Filter.all());
        assertThat(query.isFiltered()).isFalse();
        Query changed = query.withTopK(3).withFilter(Filter.exists("year"));
        assertThat(changed).isEqualTo(new Query("merge", 3, Filter.exists("year")));
        assertThat(changed.isFiltered()).isTrue();
        assertThatThrownBy(() -> query.withTopK(0)).hasMessage("topK must be in [1, 10000] but was 0");
    }

    @Test
    void aQueryHasWordsAndASaneTopK() {
        assertThat(Query.of("merge").topK()).isEqualTo(Query.DEFAULT_TOP_K);
        assertThatThrownBy(() -> Query.of(" \n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("text must not be blank; ask with at least one word");
        assertThatThrownBy(() -> Query.of("merge", 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("topK must be in [1, 10000] but was 0");
        assertThatThrownBy(() -> Query.of("merge", 10_001))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("topK must be in [1, 10000] but was 10001");
    }

    @Test
    void aPassageHasARangeOfCharactersAndOfLines() {
        Passage passage =
                new Passage("p", "d.md", List.of("Merging", "Methods"), "x", 0, 1, Location.lines(1, 1), Map.of());
        assertThat(passage.heading()).isEqualTo("Merging > Methods");
        assertThatThrownBy(() -> new Passage("p", "d.md", List.of(), "x", 2, 1, Location.lines(1, 1), Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("start and end must be a range but were 2 and 1");
        assertThatThrownBy(() -> Location.lines(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("first and last must be a range of lines from 1 but were 0 and 1");
    }

    @Test
    void aDocumentHasAName() {
        assertThatThrownBy(() -> new Document("", "text/plain", "x", Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("id must not be blank; use a path or another stable name");
    }

    private static Retriever fixed(String... ids) {
        return query -> {
            List<Hit> hits = new ArrayList<>();
            for (String id : ids) {
                hits.add(new Hit(
                        new Passage(id, "d.md", List.of(), id, 0, 1, Location.lines(1, 1), Map.of()),
                        ids.length - hits.size()));
            }
            return hits.subList(0, Math.min(query.topK(), hits.size()));
        };
    }

    private static List<String> ids(List<Hit> hits) {
        return hits.stream().map(hit -> hit.passage().id()).toList();
    }
}
