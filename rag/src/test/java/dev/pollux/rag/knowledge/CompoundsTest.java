package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompoundsTest {

    @TempDir
    private Path folder;

    @Test
    void theIndexIsTheDictionary() {
        Compounds compounds = Compounds.of(
                Set.of("urlaub", "antrag", "urlaubsantrag", "eltern", "elternurlaub", "antragsteller", "laub", "ende"));
        assertThat(compounds.related(Set.of("urlaub"))).containsExactlyInAnyOrder("urlaubsantrag", "elternurlaub");
        assertThat(compounds.related(Set.of("urlaubsantrag"))).containsExactlyInAnyOrder("urlaub", "antrag");
        assertThat(compounds.related(Set.of("elternantrag"))).containsExactlyInAnyOrder("eltern", "antrag");
        assertThat(compounds.related(Set.of("steller"))).isEmpty();
    }

    @Test
    void aPartFindsItsCompoundAndTheWordItselfComesFirst() {
        HashingEmbedder embedder = new HashingEmbedder(32, 256);
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            knowledge
                    .ingest(DocumentSource.of(
                            "s",
                            List.of(
                                    document(
                                            "a",
                                            "Der Elternurlaub wird von der Abteilung genehmigt und ist nicht kurz."),
                                    document(
                                            "b",
                                            "Die Eltern sind mit der Schule nicht zufrieden, weil sie zu klein ist."),
                                    document("c", "Der Urlaub ist in diesem Jahr wieder sehr schön und nicht zu lang."),
                                    document("d", "Die Katze schläft auf dem Sofa und wird von der Sonne gewärmt."))))
                    .run();
            assertThat(found(knowledge, "Wie lang ist der Urlaub?"))
                    .startsWith("c")
                    .contains("a")
                    .doesNotContain("d");
            assertThat(found(knowledge, "Wer genehmigt den Elternurlaub?"))
                    .startsWith("a")
                    .contains("b", "c");
        }
    }

    private static List<String> found(KnowledgeBase knowledge, String question) {
        return knowledge.lexicalRetriever().retrieve(Query.of(question)).stream()
                .map(hit -> hit.passage().document())
                .toList();
    }

    private static Document document(String id, String text) {
        return new Document(id, "text/plain", text, Map.of());
    }
}
