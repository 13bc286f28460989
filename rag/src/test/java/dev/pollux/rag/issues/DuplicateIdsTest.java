package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A document that was added again under its id was found with its old text and its new one. */
class DuplicateIdsTest extends KnowledgeTestCase {

    @Test
    void anIdHasOneText() {
        ingest(List.of(document("x", "old words")));
        ingest(List.of(document("x", "new words")));
        assertThat(knowledge.retriever().retrieve(Query.of("words")))
                .extracting(hit -> hit.passage().text())
                .containsExactly("new words");
    }

    @Test
    void anIdThatOccursTwiceInASourceIsRefused() {
        List<Document> twice = List.of(document("x", "a"), document("x", "b"));
        assertThatThrownBy(() -> DocumentSource.of("s", twice))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Document id x occurs twice in source s; ids must be unique");
    }
}
