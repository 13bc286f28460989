package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Query;
import org.junit.jupiter.api.Test;

/** Documents that were deleted took places of a result, so that it had fewer hits than were asked for. */
class DeletedDocumentsInResultsTest extends KnowledgeTestCase {

    @Test
    void aResultIsFilledWithDocumentsThatStillExist() {
        ingest(documents(0, 200));
        delete(0, 150);
        assertThat(knowledge.denseRetriever().retrieve(Query.of("text number 3", 10)))
                .hasSize(10)
                .allSatisfy(hit -> assertThat(
                                Integer.parseInt(hit.passage().document().substring(1)))
                        .isGreaterThanOrEqualTo(150));
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("text", 10))).hasSize(10);
    }
}
