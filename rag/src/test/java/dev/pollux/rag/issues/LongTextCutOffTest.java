package dev.pollux.rag.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A text of more than 65,535 bytes was cut off, or was stored and lost at the next start. */
class LongTextCutOffTest extends KnowledgeTestCase {

    @Test
    void aTextOfAnyLengthIsKept() {
        String text = "A sentence about elephants. ".repeat(4000);
        ingest(List.of(document("long", text)));
        reopen();
        assertThat(text.length()).isGreaterThan(70_000);
        List<Hit> hits = knowledge.retriever().retrieve(Query.of("elephants", 1000));
        assertThat(hits).hasSize(knowledge.stats().passages());
        assertThat(hits.stream().mapToInt(hit -> hit.passage().text().length()).sum())
                .isGreaterThan(text.length() - 2 * hits.size() - 1);
    }
}
