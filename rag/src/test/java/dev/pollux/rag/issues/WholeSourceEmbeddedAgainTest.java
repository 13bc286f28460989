package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Query;
import org.junit.jupiter.api.Test;

/** One document more made a store embed all documents again. */
class WholeSourceEmbeddedAgainTest extends KnowledgeTestCase {

    @Test
    void onlyTheNewDocumentIsEmbedded() {
        ingest(documents(0, 300));
        long before = embedder.embedded();
        ingest(documents(0, 301));
        assertThat(embedder.embedded() - before).isEqualTo(1);
        assertThat(knowledge.denseRetriever().retrieve(Query.of(text(300), 1)))
                .extracting(hit -> hit.passage().document())
                .containsExactly("d300");
    }
}
