package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.pollux.retrieval.Query;
import org.junit.jupiter.api.Test;

/** After deletes and a new start, a hit had the text of another document, or documents that were added later were not found. */
class IdsAndTextsOutOfStepTest extends KnowledgeTestCase {

    @Test
    void eachTextIsFoundUnderItsIdAfterDeletesAdditionsAndNewStarts() {
        ingest(documents(0, 100));
        delete(0, 10);
        reopen();
        eachIsFound(10, 100);
        ingest(documents(10, 101));
        eachIsFound(10, 101);
        reopen();
        eachIsFound(10, 101);
    }

    private void eachIsFound(int from, int to) {
        for (int i = from; i < to; i++) {
            assertThat(knowledge.denseRetriever().retrieve(Query.of(text(i), 1)))
                    .extracting(
                            hit -> hit.passage().document(),
                            hit -> hit.passage().text())
                    .containsExactly(tuple("d" + i, text(i)));
        }
    }
}
