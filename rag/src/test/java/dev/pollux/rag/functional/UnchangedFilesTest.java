package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that has not changed is not read again. */
@NoLeaks
class UnchangedFilesTest {

    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2024-05-06T07:08:09Z"));

    @TempDir
    private Path folder;

    private Path docs;
    private HashingEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() throws IOException {
        docs = Files.createDirectory(folder.resolve("docs"));
        embedder = new HashingEmbedder(16, 64);
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
        CountingReader.READ.clear();
        CountingReader.recipe = "1";
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void anUnchangedFileIsNotReadAgain() throws IOException {
        write("a.counted", "apples");
        write("b.counted", "pears");
        assertThat(ingest().added()).isEqualTo(2);
        assertThat(read()).containsExactly("a.counted", "b.counted");
        IngestReport again = ingest();
        assertThat(again.unchanged()).isEqualTo(2);
        assertThat(read()).isEmpty();
        assertThat(hits("pears")).isEqualTo(2);
    }

    @Test
    void aFileOfEqualSizeAndTimeIsReadAgainIfItsContentChanged() throws IOException {
        write("a.counted", "apples");
        ingest();
        write("a.counted", "grapes");
        Files.setLastModifiedTime(docs.resolve("a.counted"), LONG_AGO);
        read();
        assertThat(ingest().updated()).isEqualTo(1);
        assertThat(read()).containsExactly("a.counted");
    }

    @Test
    void aTouchedFileIsComparedByItsContent() throws IOException {
        write("a.counted", "apples");
        ingest();
        Files.setLastModifiedTime(docs.resolve("a.counted"), FileTime.from(Instant.EPOCH));
        read();
        assertThat(ingest().unchanged()).isEqualTo(1);
        assertThat(read()).isEmpty();
    }

    @Test
    void anotherRecipeOfTheReaderReadsAllFilesOnce() throws IOException {
        write("a.counted", "apples");
        ingest();
        CountingReader.recipe = "2";
        read();
        Instant before = knowledge.sources().get(0).lastChange();
        assertThat(ingest().unchanged()).isEqualTo(1);
        assertThat(read()).containsExactly("a.counted");
        assertThat(ingest().unchanged()).isEqualTo(1);
        assertThat(read()).isEmpty();
        assertThat(knowledge.sources().get(0).lastChange()).isEqualTo(before);
        assertThat(hits("apples")).isEqualTo(1);
    }

    @Test
    void aFileWithSeveralDocumentsIsReadAgain() throws IOException {
        write("a.counted", "apples\n---\npears");
        ingest();
        read();
        assertThat(ingest().unchanged()).isEqualTo(2);
        assertThat(read()).containsExactly("a.counted");
    }

    @Test
    void aChangedRuleOfMetadataReadsTheFilesAgain() throws IOException {
        write("a.counted", "apples");
        knowledge.ingest(source("kind=fruit")).run();
        knowledge.ingest(source("kind=fruit")).run();
        assertThat(read()).hasSize(1);
        assertThat(knowledge.ingest(source("kind=food")).run().updated()).isEqualTo(1);
        assertThat(read()).hasSize(1);
    }

    @Test
    void anUnchangedFileIsStillKnownToBelongToTwoSources() throws IOException {
        Files.createDirectories(docs.resolve("part"));
        write("part/a.counted", "apples");
        ingest();
        knowledge.ingest(DocumentSource.folder(docs.resolve("part"))).run();
        read();
        assertThat(ingest().deleted()).isZero();
        assertThat(knowledge.stats().documents()).isEqualTo(2);
        assertThat(read()).isEmpty();
    }

    private DocumentSource source(String rule) {
        return DocumentSource.folder(docs).withMetadata(List.of(MetadataRule.parse(rule)));
    }

    private IngestReport ingest() {
        return knowledge.ingest(DocumentSource.folder(docs)).run();
    }

    private int hits(String words) {
        return knowledge.denseRetriever().retrieve(Query.of(words)).size();
    }

    private static List<String> read() {
        List<String> read = List.copyOf(CountingReader.READ);
        CountingReader.READ.clear();
        return read;
    }

    private void write(String name, String text) throws IOException {
        Path file = Files.writeString(docs.resolve(name), text);
        Files.setLastModifiedTime(file, LONG_AGO);
    }
}
