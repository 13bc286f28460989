package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.knowledge.MetadataField.Type;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FieldMapping;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.MetadataValue;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.retrieval.Trace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnowledgeMetadataTest {

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(32, 64);
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void fieldsOfRecordsKeepTheirTypes() throws IOException {
        Path lines = Files.writeString(folder.resolve("items.jsonl"), """
                {"id":"a","text":"Apples.","year":2024,"rate":1.5,"open":true,"due":"2024-05-06","tags":["red, ripe","new"],"by":{"name":"Ann"}}
                {"id":"b","text":"Pears.","year":2023,"rate":20,"open":false,"due":"2025-01-01","tags":["new"],"code":"007"}
                """);
        ingest(DocumentSource.records(lines, FieldMapping.DEFAULTS));
        Path rows =
                Files.writeString(folder.resolve("rows.csv"), "id,text,year,open,due\nc,Plums.,2025,true,2024-12-31\n");
        ingest(DocumentSource.records(rows, FieldMapping.DEFAULTS));

        assertThat(found("year >= 2024 and open")).containsExactlyInAnyOrder("items.jsonl/a", "rows.csv/c");
        assertThat(found("rate > 2")).containsExactly("items.jsonl/b");
        assertThat(found("due < 2025-01-01 and due > 2024-06-01")).containsExactly("rows.csv/c");
        assertThat(found("tags contains \"red, ripe\"")).containsExactly("items.jsonl/a");
        assertThat(found("tags contains \"red\"")).isEmpty();
        assertThat(found("by.name = \"Ann\"")).containsExactly("items.jsonl/a");
        assertThat(knowledge.fields())
                .contains(
                        new MetadataField("due", Set.of(Type.DATE), 3),
                        new MetadataField("open", Set.of(Type.BOOLEAN), 3),
                        new MetadataField("rate", Set.of(Type.NUMBER), 2),
                        new MetadataField("tags", Set.of(Type.LIST), 2),
                        new MetadataField("year", Set.of(Type.NUMBER), 3));
        Map<String, String> metadata =
                knowledge.passages("items.jsonl", "items.jsonl/a").get(0).metadata();
        assertThat(MetadataValue.of(metadata.get("tags"))).isEqualTo(List.of("red, ripe", "new"));
        assertThat(MetadataValue.of(metadata.get("year"))).isEqualTo(2024L);
        assertThat(MetadataValue.of(metadata.get("due"))).isEqualTo(LocalDate.of(2024, 5, 6));
    }

    @Test
    void rulesSetMetadataByPatternAndTheLastOneCounts() {
        ingest(DocumentSource.of(
                        "s",
                        List.of(
                                document("hr/leave.md", Map.of("owner", "Ann")),
                                document("hr/old/leave.md", Map.of()),
                                document("it/mail.md", Map.of("department", "none"))))
                .withMetadata(List.of(
                        MetadataRule.parse("department=it"),
                        MetadataRule.parse("hr/:department=hr"),
                        MetadataRule.parse("/hr/old/**:archived=true"))));
        assertThat(found("department = \"hr\"")).containsExactlyInAnyOrder("hr/leave.md", "hr/old/leave.md");
        assertThat(found("department = \"hr\" and not archived")).containsExactly("hr/leave.md");
        assertThat(found("department = \"it\"")).containsExactly("it/mail.md");
        assertThat(knowledge.fields())
                .containsExactly(
                        new MetadataField("archived", Set.of(Type.BOOLEAN), 1),
                        new MetadataField("department", Set.of(Type.TEXT), 3),
                        new MetadataField("owner", Set.of(Type.TEXT), 1));
    }

    @Test
    void frontMatterIsTypedByItsValuesAndRulesTakePrecedence() {
        ingest(DocumentSource.of(
                        "s",
                        List.of(document(
                                "a",
                                "---\nyear: 2024\ntags: [pay, leave]\nupdated: 2024-05-06\nstate: open\n---\nApples.\n",
                                Map.of())))
                .withMetadata(List.of(MetadataRule.parse("state=closed"))));
        assertThat(knowledge.fields())
                .contains(
                        new MetadataField("year", Set.of(Type.NUMBER), 1),
                        new MetadataField("tags", Set.of(Type.LIST), 1),
                        new MetadataField("updated", Set.of(Type.DATE), 1));
        assertThat(found("tags contains \"leave\" and updated >= 2024-05-06 and state = \"closed\""))
                .containsExactly("a");
    }

    @Test
    void aRuleThatIsNoneIsRefused() {
        assertThatThrownBy(() -> MetadataRule.parse("department"))
                .hasMessage("A metadata rule has the form field=value or pattern:field=value but was 'department'");
        assertThatThrownBy(() -> MetadataRule.parse("!x:a=b"))
                .hasMessage("pattern must match some path but was '!x'; write it as in a .gitignore file");
        assertThat(MetadataRule.parse("a/*.md : x = y=z")).hasToString("a/*.md:x=y=z");
    }

    @Test
    void anUnknownFieldIsAnsweredWithTheNearest() {
        ingest(DocumentSource.of("s", List.of(document("a", Map.of("department", "hr", "year", "2024")))));
        assertThatThrownBy(() -> knowledge.filter("departement = \"hr\""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The filter names the field departement, which no document has (did you mean"
                        + " department?); the fields are department, year");
        assertThatThrownBy(() -> knowledge.filter("owner = \"x\""))
                .hasMessage("The filter names the field owner, which no document has; the fields are department, year");
        assertThat(knowledge.filter("year > 2000")).isEqualTo(Filter.greaterThan("year", 2000));
    }

    @Test
    void aViewCannotBeLeft() {
        ingest(DocumentSource.of(
                "s",
                List.of(
                        document("a", Map.of("tenant", "a", "colour", "red")),
                        document("b", Map.of("tenant", "b", "secret", "x")))));
        KnowledgeView view = knowledge.view(Filter.equal("tenant", "a"));
        for (Retriever retriever : List.of(view.retriever(), view.denseRetriever(), view.lexicalRetriever())) {
            for (Filter filter : List.of(
                    Filter.all(),
                    Filter.equal("tenant", "b"),
                    Filter.equal("tenant", "a").negated(),
                    Filter.equal("tenant", "a").or(Filter.all()))) {
                assertThat(retriever.retrieve(Query.of("apples").withFilter(filter)))
                        .allSatisfy(hit -> assertThat(hit.passage().document()).isEqualTo("a"));
            }
            assertThat(retriever.retrieve(Query.of("apples"))).hasSize(1);
        }
        assertThat(view.documents()).extracting(KnownDocument::id).containsExactly("a");
        assertThat(view.fields()).extracting(MetadataField::name).containsExactly("colour", "tenant");
        assertThatThrownBy(() -> view.filter("secret = \"x\""))
                .hasMessage("The filter names the field secret, which no document has; the fields are colour, tenant");
        assertThat(view.view(Filter.equal("colour", "blue")).documents()).isEmpty();
    }

    @Test
    void upsertAddsAndReplacesAndKeepsTheRest() {
        ingest(DocumentSource.of("s", List.of(document("a", Map.of()), document("b", Map.of()))));
        IngestReport report = knowledge
                .upsert("s", List.of(document("b", "Pears.", Map.of("year", "2024")), document("c", Map.of())))
                .run();
        assertThat(report.added()).isEqualTo(1);
        assertThat(report.updated()).isEqualTo(1);
        assertThat(report.deleted()).isZero();
        assertThat(knowledge.documents()).extracting(KnownDocument::id).containsExactlyInAnyOrder("a", "b", "c");
        assertThat(found("year = 2024")).containsExactly("b");
        assertThatThrownBy(() -> knowledge.upsert("s", List.of(document("x", Map.of()), document("x", Map.of()))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(knowledge.documents()).hasSize(3);
    }

    @Test
    void documentsAreDeletedByAFilter() {
        ingest(DocumentSource.of(
                "s",
                List.of(
                        document("a", Map.of("year", "2020")),
                        document("b", "", Map.of("year", "2021")), // without passages
                        document("c", Map.of("year", "2024")))));
        assertThat(knowledge.delete(Filter.lessThan("year", 2024))).isGreaterThanOrEqualTo(1);
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("apples")))
                .extracting(hit -> hit.passage().document())
                .containsExactly("c");
        assertThat(knowledge.delete(Filter.lessThan("year", 2024))).isZero();
        assertThatThrownBy(() -> knowledge.delete(Filter.all()))
                .hasMessage("A filter that allows every document deletes none; delete the sources by their names");
    }

    @Test
    void aTraceShowsEachStage() {
        ingest(DocumentSource.of(
                "s", List.of(document("a", Map.of("n", "1")), document("b", "Pears.", Map.of("n", "2")))));
        Trace trace = Trace.recording();
        List<Hit> hits = knowledge
                .retriever()
                .retrieve(Query.of("apples", 5).withFilter(Filter.equal("n", 1)).withTrace(trace));
        assertThat(hits).hasSize(1);
        assertThat(trace.stages())
                .extracting(Trace.Stage::stage)
                .containsExactly("embed", "filter", "dense scan", "lexical", "fusion", "read");
        assertThat(trace.stages().get(1).in()).isEqualTo(2);
        assertThat(trace.stages().get(1).out()).isEqualTo(1);
        assertThat(trace.stages())
                .allSatisfy(stage -> assertThat(stage.millis()).isNotNegative());
        assertThat(Trace.NONE.stages()).isEmpty();
    }

    private void ingest(DocumentSource source) {
        knowledge.ingest(source).run();
    }

    private List<String> found(String filter) {
        return knowledge.retriever().retrieve(Query.of("apples").withFilter(knowledge.filter(filter))).stream()
                .map(hit -> hit.passage().document())
                .toList();
    }

    private static Document document(String id, Map<String, String> metadata) {
        return document(id, "Apples of " + id + ".", metadata);
    }

    private static Document document(String id, String text, Map<String, String> metadata) {
        return new Document(id, "text/markdown", text, metadata);
    }
}
