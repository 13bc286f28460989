package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FieldMapping;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file with a document for each record is not read again if it has not changed. */
@NoLeaks
class UnchangedRecordsTest {

    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2024-05-06T07:08:09Z"));
    private static final String TWO = "{\"id\":\"a\",\"text\":\"apples\"}\n{\"id\":\"b\",\"text\":\"pears\"}\n";

    @TempDir
    private Path folder;

    private Path file;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        file = folder.resolve("docs/rows.jsonl");
        knowledge = KnowledgeBase.open(folder.resolve("kb"), new HashingEmbedder(16, 64));
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void anUnchangedFileIsNotReadIntoRecordsAgain() throws IOException {
        write(TWO);
        assertThat(ingest().added()).isEqualTo(2);
        IngestReport again = ingest();
        assertThat(again.unchanged()).isEqualTo(2);
        assertThat(steps()).containsExactly(2L);
        assertThat(knowledge.stats().documents()).isEqualTo(2);
    }

    @Test
    void aTableOfRowsIsNotReadAgainEither() throws IOException {
        file = folder.resolve("docs/rows.csv");
        write("id,text\na,apples\nb,pears\nc,plums\n");
        ingest();
        assertThat(steps()).containsExactly(3L);
        write("id,text\na,apples\nb,pears\n");
        assertThat(ingest().deleted()).isEqualTo(1);
        assertThat(steps()).containsExactly(2L);
    }

    @Test
    void aChangedRecordReadsTheFileAgain() throws IOException {
        write(TWO);
        ingest();
        write(TWO.replace("pears", "plums"));
        assertThat(ingest().updated()).isEqualTo(1);
        assertThat(steps()).containsExactly(2L);
        assertThat(hits("plums")).isEqualTo(1);
    }

    @Test
    void anotherMappingOrRuleOfMetadataReadsTheFileAgain() throws IOException {
        write(TWO);
        ingest();
        FieldMapping mapping = FieldMapping.builder().title("id").build();
        assertThat(knowledge.ingest(DocumentSource.records(file, mapping)).run().updated())
                .isEqualTo(2);
        DocumentSource ruled = DocumentSource.records(file, mapping).withMetadata(List.of(MetadataRule.parse("k=v")));
        assertThat(knowledge.ingest(ruled).run().updated()).isEqualTo(2);
    }

    @Test
    void documentsThatTheHostDeletedAreReadAgain() throws IOException {
        write("{\"id\":\"a\",\"text\":\"apples\",\"kind\":\"red\"}\n{\"id\":\"b\",\"text\":\"pears\"}\n");
        ingest();
        assertThat(knowledge.delete(Filter.parse("kind = \"red\""))).isEqualTo(1);
        assertThat(ingest().added()).isEqualTo(1);
        assertThat(hits("apples")).isEqualTo(1);
    }

    @Test
    void aRecordThatCannotBeReadIsReportedEachTime() throws IOException {
        write(TWO + "no JSON\n");
        assertThat(ingest().failedRecords()).isEqualTo(1);
        assertThat(ingest().failedRecords()).isEqualTo(1);
        write(TWO);
        assertThat(ingest().failedRecords()).isZero();
        assertThat(steps()).containsExactly(2L);
    }

    @Test
    void aFileOfAFolderIsNotReadAgainAndItsDocumentsGoWithIt() throws IOException {
        write(TWO);
        Files.writeString(folder.resolve("docs/other.md"), "Other.");
        DocumentSource docs = DocumentSource.folder(folder.resolve("docs"));
        assertThat(knowledge.ingest(docs).run().added()).isEqualTo(3);
        assertThat(knowledge.ingest(docs).run().unchanged()).isEqualTo(3);
        Files.delete(file);
        assertThat(knowledge.ingest(docs).run().deleted()).isEqualTo(2);
        write(TWO);
        assertThat(knowledge.ingest(docs).run().added()).isEqualTo(2);
    }

    @Test
    void aFileOfTwoSourcesIsNotReadAgain() throws IOException {
        write(TWO);
        DocumentSource all = DocumentSource.folder(folder.resolve("docs").getParent());
        DocumentSource part = DocumentSource.folder(folder.resolve("docs"));
        knowledge.ingest(part).run();
        knowledge.ingest(all).run();
        assertThat(knowledge.ingest(part).run().unchanged()).isEqualTo(2);
        assertThat(knowledge.stats().documents()).isEqualTo(4);
    }

    private IngestReport ingest() {
        return knowledge
                .ingest(DocumentSource.records(file, FieldMapping.DEFAULTS))
                .run();
    }

    /** The numbers of documents read that another ingest reports: one if it knows the file, one a record if not. */
    private List<Long> steps() {
        List<Long> steps = new ArrayList<>();
        Job<IngestReport> job = knowledge.ingest(DocumentSource.records(file, FieldMapping.DEFAULTS));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress && progress.stage().equals("read")) {
                steps.add(progress.done());
            }
        });
        job.run();
        return steps;
    }

    private int hits(String words) {
        return knowledge.lexicalRetriever().retrieve(Query.of(words)).size();
    }

    private void write(String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        Files.setLastModifiedTime(file, LONG_AGO);
    }
}
