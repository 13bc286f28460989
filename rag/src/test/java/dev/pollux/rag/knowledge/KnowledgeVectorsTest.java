package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.embedding.TextRole;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NoLeaks
class KnowledgeVectorsTest {

    private static final double EXACT = 1e-6; // rounding of floats

    @TempDir
    Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(64, 64);
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        knowledge = KnowledgeBase.open(folder, embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
        embedder.close();
    }

    @Test
    void aDocumentIsOnePassageWithTheVectorOfTheHost() {
        String text = "One.\n\nTwo.\n\n".repeat(500);
        knowledge.vectors().upsert("notes", List.of(new EmbeddedDocument(note("a", text), axis(3, 5))));

        List<Hit> hits = knowledge.vectors().nearest(axis(3, 0.1f), 10, Filter.all());

        assertThat(hits).singleElement().satisfies(hit -> {
            assertThat(hit.score()).isCloseTo(1, within(EXACT));
            assertThat(hit.passage().document()).isEqualTo("a");
            assertThat(hit.passage().source()).isEqualTo("notes");
            assertThat(hit.passage().text()).isEqualTo(text);
            assertThat(knowledge.vectors(List.of(hit.passage()))[0]).isEqualTo(axis(3, 1));
        });
    }

    @Test
    void equalAndEmptyTextsAreAllFound() {
        knowledge
                .vectors()
                .upsert(
                        "notes",
                        List.of(
                                new EmbeddedDocument(note("a", "same"), axis(0, 1)),
                                new EmbeddedDocument(note("b", "same"), axis(1, 1)),
                                new EmbeddedDocument(note("c", ""), axis(2, 1)),
                                new EmbeddedDocument(note("d", ""), axis(3, 1))));

        assertThat(knowledge.vectors().nearest(axis(2, 1), 10, Filter.all()))
                .extracting(hit -> hit.passage().document())
                .startsWith("c")
                .containsExactlyInAnyOrder("a", "b", "c", "d");
    }

    @Test
    void theSameIdReplacesAndOthersStay() {
        knowledge
                .vectors()
                .upsert(
                        "notes",
                        List.of(
                                new EmbeddedDocument(note("a", "first"), axis(0, 1)),
                                new EmbeddedDocument(note("b", "second"), axis(1, 1))));
        knowledge.vectors().upsert("notes", List.of(new EmbeddedDocument(note("a", "third"), axis(2, 1))));

        assertThat(knowledge.vectors().nearest(axis(2, 1), 10, Filter.all()))
                .extracting(hit -> hit.passage().text())
                .containsExactlyInAnyOrder("third", "second");
        assertThat(knowledge.sources()).singleElement().satisfies(source -> {
            assertThat(source.name()).isEqualTo("notes");
        });
    }

    @Test
    void aFilterHoldsBeforeTheBestAreChosen() {
        knowledge
                .vectors()
                .upsert(
                        "notes",
                        List.of(
                                new EmbeddedDocument(note("a", "x", "team", "red"), axis(0, 1)),
                                new EmbeddedDocument(note("b", "y", "team", "blue"), axis(1, 1))));

        assertThat(knowledge.vectors().nearest(axis(0, 1), 1, Filter.equal("team", "blue")))
                .extracting(hit -> hit.passage().document())
                .containsExactly("b");
    }

    @Test
    void aVectorOfTheHostIsNotTakenForThatOfTheEmbedder() {
        knowledge.vectors().upsert("notes", List.of(new EmbeddedDocument(note("a", "The boat."), axis(0, 1))));
        knowledge
                .ingest(DocumentSource.of("docs", List.of(note("b", "The boat."))))
                .run();

        float[] own = knowledge.vectors().of(List.of("The boat."), TextRole.PASSAGE)[0];
        assertThat(knowledge.vectors().nearest(own, 1, Filter.all()))
                .singleElement()
                .satisfies(hit -> {
                    assertThat(hit.passage().source()).isEqualTo("docs");
                    assertThat(hit.score()).isCloseTo(1, within(EXACT));
                });
    }

    @Test
    void aTextLongerThanTheModelReadsHasAVectorToo() {
        float[][] vectors = knowledge
                .vectors()
                .of(List.of("Short.", "The heron flies over the harbour. ".repeat(50), "Also short."), TextRole.QUERY);

        for (float[] vector : vectors) {
            assertThat(dot(vector, vector)).isCloseTo(1, within(EXACT));
        }
        assertThat(vectors[2])
                .containsExactly(
                        knowledge.vectors().of(List.of("Also short."), TextRole.QUERY)[0], within((float) EXACT));
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    @Test
    void itsTextsAreFoundByWordsToo() {
        knowledge.vectors().upsert("notes", List.of(new EmbeddedDocument(note("a", "The heron flies."), axis(0, 1))));

        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("heron"))).hasSize(1);
    }

    @Test
    void theyAreThereAfterOpeningAgainAndCanBeDeleted() {
        knowledge.vectors().upsert("notes", List.of(new EmbeddedDocument(note("a", "x"), axis(0, 1))));
        knowledge.close();
        open();

        assertThat(knowledge.vectors().nearest(axis(0, 1), 1, Filter.all())).hasSize(1);
        assertThat(knowledge.delete("notes", List.of("a"))).isEqualTo(1);
        assertThat(knowledge.vectors().nearest(axis(0, 1), 1, Filter.all())).isEmpty();
    }

    @Test
    void badVectorsAndIdsAreRefusedAndNothingIsWritten() {
        int dimension = embedder.info().dimension();
        EmbeddedDocument good = new EmbeddedDocument(note("a", "x"), axis(0, 1));

        assertThatThrownBy(() -> knowledge
                        .vectors()
                        .upsert("notes", List.of(good, new EmbeddedDocument(note("b", "y"), new float[] {1, 0}))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Document b: A vector must have dimension " + dimension + ", that of the embedder "
                        + embedder.info().name()
                        + ", but had 2; embed with the model that the knowledge base was created with");
        assertThatThrownBy(() -> knowledge
                        .vectors()
                        .upsert("notes", List.of(good, new EmbeddedDocument(note("b", "y"), axis(0, Float.NaN)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Document b: A vector must be finite and not zero but had length NaN; check the model that"
                        + " made it");
        assertThatThrownBy(() -> knowledge.vectors().nearest(new float[dimension], 1, Filter.all()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A vector must be finite and not zero but had length 0.0; check the model that made it");
        assertThatThrownBy(() -> knowledge.vectors().upsert("notes", List.of(good, good)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a");
        assertThat(knowledge.documents()).isEmpty();
    }

    private static Document note(String id, String text, String... metadata) {
        return new Document(id, "text/plain", text, metadata.length == 0 ? Map.of() : Map.of(metadata[0], metadata[1]));
    }

    private float[] axis(int axis, float length) { // (dimension)
        float[] vector = new float[embedder.info().dimension()];
        vector[axis] = length;
        return vector;
    }
}
