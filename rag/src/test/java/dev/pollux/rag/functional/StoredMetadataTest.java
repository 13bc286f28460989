package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Metadata rules of a source stay in force, since access rights may depend on them. */
@NoLeaks
class StoredMetadataTest {

    @TempDir
    private Path folder;

    private Path docs;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() throws IOException {
        docs = Files.createDirectory(folder.resolve("docs"));
        Files.writeString(docs.resolve("pay.md"), "Pay rises in April.");
        knowledge = KnowledgeBase.open(folder.resolve("kb"), new HashingEmbedder(16, 64));
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void aLaterIngestKeepsTheRules() throws IOException {
        ingest("department=hr", "x:y=a:b:c=d");
        knowledge.close();
        knowledge = KnowledgeBase.open(folder.resolve("kb"), new HashingEmbedder(16, 64));
        Files.writeString(docs.resolve("pay.md"), "Pay rises in May.");
        Files.writeString(docs.resolve("leave.md"), "Leave is thirty days.");
        IngestReport report = knowledge.ingest(DocumentSource.folder(docs)).run();
        assertThat(report.notices()).isEmpty();
        assertThat(found("department = \"hr\"")).containsExactlyInAnyOrder("pay.md", "leave.md");
        assertThat(knowledge.sources().get(0).metadataRules())
                .containsExactly(MetadataRule.parse("department=hr"), MetadataRule.parse("x:y=a:b:c=d"));
    }

    @Test
    void anUpsertKeepsTheRules() {
        DocumentSource rows = DocumentSource.of("rows", List.of(row("a")));
        knowledge
                .ingest(rows.withMetadata(List.of(MetadataRule.parse("department=hr"))))
                .run();
        knowledge.upsert("rows", List.of(row("b"))).run();
        assertThat(found("department = \"hr\"")).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void theRulesFollowAFolderThatMoves() throws IOException {
        ingest("department=hr");
        Path moved = Files.move(docs, folder.resolve("moved"));
        knowledge.ingest(DocumentSource.folder(moved)).run();
        assertThat(found("department = \"hr\"")).containsExactly("pay.md");
    }

    @Test
    void rulesOfAFolderThatMovesIntoAnotherAreNamed() throws IOException {
        ingest("department=hr");
        Path parent = Files.createDirectory(folder.resolve("parent"));
        knowledge.ingest(DocumentSource.folder(parent)).run();
        Files.move(docs, parent.resolve("docs"));
        assertThat(knowledge.ingest(DocumentSource.folder(parent)).run().notices())
                .contains("metadata rules of source docs that are no longer in force: department=hr");
        assertThat(knowledge.sources()).hasSize(1);
    }

    @Test
    void otherRulesTakeTheirPlaceWithANotice() {
        ingest("department=hr", "year=2024");
        IngestReport report = ingest("year=2024", "state=open");
        assertThat(report.notices())
                .containsExactly("metadata rules of source docs that are no longer in force: department=hr");
        assertThat(found("state = \"open\" and year = 2024")).containsExactly("pay.md");
        assertThat(knowledge.fields()).extracting("name").containsExactly("state", "year");
    }

    @Test
    void noRulesEndThem() {
        ingest("department=hr");
        assertThat(ingest().updated()).isEqualTo(1);
        assertThat(knowledge.fields()).isEmpty();
        assertThat(knowledge.sources().get(0).metadataRules()).isEmpty();
    }

    @Test
    void rulesGivenOneAfterTheOtherAreAllInForce() {
        DocumentSource source = DocumentSource.folder(docs)
                .withMetadata(List.of(MetadataRule.parse("a=1"), MetadataRule.parse("b=1")))
                .withMetadata(List.of(MetadataRule.parse("b=2")));
        knowledge.ingest(source).run();
        assertThat(knowledge.ingest(DocumentSource.folder(docs)).run().unchanged())
                .isEqualTo(1);
        assertThat(found("a = 1 and b = 2")).containsExactly("pay.md");
    }

    private IngestReport ingest(String... rules) {
        List<MetadataRule> parsed =
                List.of(rules).stream().map(MetadataRule::parse).toList();
        return knowledge
                .ingest(DocumentSource.folder(docs).withMetadata(parsed))
                .run();
    }

    private static Document row(String id) {
        return new Document(id, "text/plain", "Pay of " + id + ".", Map.of());
    }

    private List<String> found(String filter) {
        Query query = Query.of("pay leave").withFilter(knowledge.filter(filter));
        return knowledge.retriever().retrieve(query).stream()
                .map(Hit::passage)
                .map(passage -> passage.document())
                .toList();
    }
}
