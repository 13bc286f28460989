package dev.pollux.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Retriever} promises, as tests: implement {@link #retriever()} and {@link #question()} in a test
 * class and they run. The test class opens and closes what the retriever stands on.
 */
@NoLeaks
public interface RetrieverContract {

    /** The retriever under test. */
    Retriever retriever();

    /** A question that it answers with at least three hits. */
    String question();

    @Test
    default void hitsComeBestFirst() {
        List<Hit> hits = retriever().retrieve(Query.of(question()));
        assertThat(hits).hasSizeGreaterThanOrEqualTo(3);
        assertThat(hits)
                .isSortedAccordingTo(Comparator.comparingDouble(Hit::score).reversed());
        assertThat(hits).allSatisfy(hit -> assertThat(hit.score()).isFinite());
    }

    @Test
    default void thereAreNeverMoreHitsThanTopK() {
        for (int topK = 1; topK <= 4; topK++) {
            assertThat(retriever().retrieve(Query.of(question(), topK))).hasSize(Math.min(topK, available()));
        }
    }

    @Test
    default void aPassageIsFoundOnce() {
        List<Hit> hits = retriever().retrieve(Query.of(question(), 100));
        assertThat(hits).extracting(hit -> hit.passage().id()).doesNotHaveDuplicates();
    }

    @Test
    default void passagesSayWhereTheyStand() {
        for (Hit hit : retriever().retrieve(Query.of(question(), 100))) {
            Passage passage = hit.passage();
            assertThat(passage.text()).isNotEmpty().hasSize(passage.end() - passage.start());
            assertThat(passage.document()).isNotBlank();
        }
    }

    @Test
    default void theSameQueryHasTheSameHitsOnEveryThread() {
        List<Hit> expected = retriever().retrieve(Query.of(question()));
        List<CompletableFuture<List<Hit>>> runs = IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> retriever().retrieve(Query.of(question()))))
                .toList();
        assertThat(runs).allSatisfy(run -> assertThat(run.join()).isEqualTo(expected));
    }

    @Test
    default void anInterruptEndsTheCallAndTheThreadStaysInterrupted() {
        List<Hit> expected = retriever().retrieve(Query.of(question()));
        Interrupted.isRefused(() -> retriever().retrieve(Query.of(question())));
        assertThat(retriever().retrieve(Query.of(question()))).isEqualTo(expected);
    }

    @Test
    default void aFilterHoldsForEveryHitOrIsRefused() {
        List<Hit> all = retriever().retrieve(Query.of(question(), 1_000));
        Filter nothing = Filter.exists("no document has this field");
        if (refuses(nothing)) {
            return;
        }
        assertThat(retriever().retrieve(Query.of(question()).withFilter(nothing)))
                .isEmpty();
        assertThat(ids(retriever().retrieve(Query.of(question(), 1_000).withFilter(nothing.negated()))))
                .isEqualTo(ids(all));
        for (Hit hit : all) {
            hit.passage().metadata().forEach((field, value) -> {
                Filter filter = Filter.equal(field, value);
                List<String> expected = ids(all.stream()
                        .filter(other -> filter.matches(other.passage().metadata()))
                        .toList());
                assertThat(ids(retriever().retrieve(Query.of(question(), 1_000).withFilter(filter))))
                        .as("%s", filter)
                        .containsAll(expected);
                assertThat(retriever()
                                .retrieve(Query.of(question(), expected.size()).withFilter(filter)))
                        .as("%s", filter)
                        .hasSize(expected.size())
                        .allMatch(found -> filter.matches(found.passage().metadata()));
            });
        }
    }

    private boolean refuses(Filter filter) {
        try {
            retriever().retrieve(Query.of(question()).withFilter(filter));
            return false;
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("cannot filter").hasMessageContaining(filter.toString());
            return true;
        }
    }

    private static List<String> ids(List<Hit> hits) {
        return hits.stream().map(hit -> hit.passage().id()).toList();
    }

    private int available() {
        return retriever().retrieve(Query.of(question(), 100)).size();
    }
}
