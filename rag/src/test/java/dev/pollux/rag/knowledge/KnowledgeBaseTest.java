package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.apache.lucene.util.Version;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnowledgeBaseTest {

    private static final int WINDOW = 64;

    @TempDir
    private Path folder;

    private HashingEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        embedder = new HashingEmbedder(32, WINDOW);
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void anUnchangedDocumentIsNeitherEmbeddedNorWritten() throws IOException {
        DocumentSource source = source("s", numbered(20));
        IngestReport first = knowledge.ingest(source).run();
        assertThat(first.added()).isEqualTo(20);
        assertThat(first.embedded()).isEqualTo(20);
        List<String> before = files();
        long texts = embedder.embedded();
        IngestReport again = knowledge.ingest(source).run();
        assertThat(again.unchanged()).isEqualTo(20);
        assertThat(again.passages()).isZero();
        assertThat(embedder.embedded()).isEqualTo(texts);
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void onlyTheChangedPassagesOfAnEditedDocumentAreEmbedded() {
        List<String> paragraphs = IntStream.range(0, 10)
                .mapToObj(i -> ("Paragraph " + i + " holds words. ").repeat(8))
                .toList();
        assertThat(knowledge
                        .ingest(source("s", List.of(text("d", String.join("\n\n", paragraphs)))))
                        .run()
                        .embedded())
                .isEqualTo(10);
        int before = embedder.texts().size();
        List<String> edited = new ArrayList<>(paragraphs);
        edited.set(4, "This one is new. ".repeat(9));
        IngestReport report = knowledge
                .ingest(source("s", List.of(text("d", String.join("\n\n", edited)))))
                .run();
        assertThat(report.updated()).isEqualTo(1);
        assertThat(report.passages()).isEqualTo(10);
        assertThat(report.embedded()).isEqualTo(1);
        assertThat(report.reused()).isEqualTo(9);
        assertThat(embedder.texts().subList(before, embedder.texts().size()))
                .singleElement()
                .asString()
                .startsWith("This one is new.");
    }

    @Test
    void frontMatterIsMetadataUnlessTheSourceSaysOtherwise() {
        String text = "---\ntitle: Ferry rules\ndate: 2024-05-06\nauthor: Ann\n---\nDogs are allowed.";
        Document document = new Document("f.md", "text/markdown", text, Map.of("author", "Bob"));
        knowledge.ingest(source("s", List.of(document))).run();
        assertThat(knowledge
                        .retriever()
                        .retrieve(Query.of("dogs"))
                        .get(0)
                        .passage()
                        .metadata())
                .isEqualTo(Map.of("title", "Ferry rules", "date", "2024-05-06", "author", "Bob"));
    }

    @Test
    void aPassageKeepsItsLeadAndMediaType() {
        String table = "| name | size |\n|---|---|\n" + "| one | 1 |\n".repeat(60);
        knowledge
                .ingest(source("s", List.of(new Document("t.md", "text/markdown", table, Map.of()))))
                .run();
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("one")))
                .filteredOn(hit -> hit.passage().start() > 0)
                .isNotEmpty()
                .allSatisfy(hit -> {
                    assertThat(hit.passage().lead()).isEqualTo("| name | size |\n|---|---|\n");
                    assertThat(hit.passage().mediaType()).isEqualTo("text/markdown");
                });
    }

    @Test
    void equalTextsAreEmbeddedOnce() {
        IngestReport report = knowledge
                .ingest(source("s", List.of(text("a", "The same."), text("b", "The same."))))
                .run();
        assertThat(report.embedded()).isEqualTo(1);
        assertThat(report.reused()).isEqualTo(1);
    }

    @Test
    void aMovedDocumentIsNotEmbeddedAgain() {
        knowledge.ingest(source("s", List.of(text("a", "Some text.")))).run();
        IngestReport report =
                knowledge.ingest(source("s", List.of(text("b", "Some text.")))).run();
        assertThat(report.renamed()).isEqualTo(1);
        assertThat(report.added()).isZero();
        assertThat(report.deleted()).isZero();
        assertThat(report.embedded()).isZero();
        assertThat(ids("text")).containsExactly("b");
    }

    @Test
    void anEditIsVisibleAtOnceAndTheOldTextGone() {
        knowledge.ingest(source("s", List.of(text("d", "Old apples.")))).run();
        knowledge.ingest(source("s", List.of(text("d", "New pears.")))).run();
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("apples"))).isEmpty();
        assertThat(knowledge.denseRetriever().retrieve(Query.of("old apples")))
                .extracting(hit -> hit.passage().text())
                .containsExactly("New pears.");
    }

    @Test
    void metadataIsKeptAndItsChangeIsAnUpdate() {
        Document with = new Document("d", "text/plain", "Text.", Map.of("author", "A", "year", "2026"));
        knowledge.ingest(source("s", List.of(text("d", "Text.")))).run();
        IngestReport report = knowledge.ingest(source("s", List.of(with))).run();
        assertThat(report.updated()).isEqualTo(1);
        assertThat(report.embedded()).isZero();
        assertThat(knowledge
                        .retriever()
                        .retrieve(Query.of("text"))
                        .get(0)
                        .passage()
                        .metadata())
                .isEqualTo(Map.of("author", "A", "year", "2026"));
    }

    @Test
    void sourcesDoNotTouchEachOther() {
        knowledge.ingest(source("one", List.of(text("d", "Apples here.")))).run();
        knowledge.ingest(source("two", List.of(text("d", "Apples there.")))).run();
        assertThat(knowledge.stats().sources()).isEqualTo(2);
        List<Hit> hits = knowledge.retriever().retrieve(Query.of("apples"));
        assertThat(hits).extracting(hit -> hit.passage().id()).containsExactlyInAnyOrder("one#d#0", "two#d#0");
        knowledge.ingest(source("one", List.of())).run();
        assertThat(knowledge.documents()).extracting(KnownDocument::source).containsExactly("two");
    }

    @Test
    void deletingHidesAtOnce() {
        knowledge.ingest(source("s", numbered(5))).run();
        assertThat(knowledge.delete("s", List.of("d1", "d3", "absent"))).isEqualTo(2);
        assertThat(ids("document")).containsExactlyInAnyOrder("d0", "d2", "d4");
        assertThat(knowledge.delete("s")).isEqualTo(3);
        assertThat(knowledge.retriever().retrieve(Query.of("document"))).isEmpty();
        assertThat(knowledge.delete("s")).isZero();
        assertThat(knowledge.stats().documents()).isZero();
    }

    @Test
    void statsAndListSayWhatIsThere() {
        Document document = text("d", "One paragraph of words. ".repeat(30));
        knowledge.ingest(source("s", List.of(document, text("blank", " \n")))).run();
        KnowledgeStats stats = knowledge.stats();
        assertThat(stats.documents()).isEqualTo(2);
        assertThat(stats.passages())
                .isEqualTo(knowledge.documents().stream()
                        .mapToInt(KnownDocument::passages)
                        .sum());
        assertThat(stats.bytesOnDisk()).isPositive();
        assertThat(stats.fingerprint()).isEqualTo("hash-32");
        assertThat(stats.dimension()).isEqualTo(32);
        assertThat(knowledge.documents())
                .contains(new KnownDocument("s", "blank", "blank", "text/plain", 0, 2, Hashes.of(text("x", " \n"))));
    }

    @Test
    void whatIsThereIsThereAfterReopening() {
        knowledge.ingest(source("s", numbered(30))).run();
        List<Hit> before = knowledge.retriever().retrieve(Query.of("document 17"));
        knowledge.close();
        open();
        assertThat(knowledge.retriever().retrieve(Query.of("document 17"))).isEqualTo(before);
        knowledge.ingest(source("s", numbered(30))).run();
        assertThat(embedder.embedded()).isZero();
    }

    @Test
    void passagesAreVerbatimAndNumbered() {
        String text = "# Guide\r\n\r\n" + "Some words in a row. ".repeat(9) + "\r\n\r\n## Next\r\n\r\n"
                + "More words in a row. ".repeat(9);
        Document document = new Document("g.md", "text/markdown", text, Map.of());
        knowledge.ingest(source("s", List.of(document))).run();
        List<Hit> hits = knowledge.retriever().retrieve(Query.of("words"));
        assertThat(hits).hasSizeGreaterThan(1);
        for (Hit hit : hits) {
            Passage passage = hit.passage();
            assertThat(passage.text()).isEqualTo(text.substring(passage.start(), passage.end()));
            assertThat(passage.location())
                    .isEqualTo(Location.lines(
                            text.substring(0, passage.start()).split("\r\n", -1).length,
                            text.substring(0, passage.end()).split("\r\n", -1).length));
            assertThat(passage.headings().get(0)).isEqualTo("Guide");
        }
    }

    @Test
    void aQueryIsNoSyntax() {
        knowledge
                .ingest(source("s", List.of(text("d", "C++ AND (NOT this): \"quoted\" path/to:file*"))))
                .run();
        for (String query :
                List.of("C++ AND (NOT", "\"", "a:b*?~^2 [x TO y]", "\\", "/re.*/", "()", "the of", "!!!", "🚀")) {
            assertThat(knowledge.retriever().retrieve(Query.of(query)))
                    .as(query)
                    .hasSize(1);
        }
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("the of !!!")))
                .isEmpty();
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("word ".repeat(20_000) + "quoted")))
                .hasSize(1);
    }

    @Test
    void aQuestionLongerThanTheModelReadsIsAnswered() {
        knowledge.ingest(source("s", numbered(3))).run();
        String question =
                IntStream.range(0, 500).mapToObj(i -> "document " + i + ". ").reduce("", String::concat);
        assertThat(knowledge.retriever().retrieve(Query.of(question))).hasSize(3);
    }

    @Test
    void anEmptyKnowledgeBaseFindsNothing() {
        assertThat(knowledge.retriever().retrieve(Query.of("anything"))).isEmpty();
        assertThat(knowledge.denseRetriever().retrieve(Query.of("anything"))).isEmpty();
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("anything"))).isEmpty();
        assertThat(knowledge.documents()).isEmpty();
    }

    @Test
    void otherChunkingOfAnEmptiedKnowledgeBaseCutsAnew() {
        Document longer = text("d", "A sentence of some words. ".repeat(40));
        knowledge.ingest(source("s", List.of(longer, text("e", "Short.")))).run();
        knowledge.delete("s");
        knowledge.close();
        KnowledgeOptions smaller = KnowledgeOptions.builder()
                .chunking(ChunkOptions.builder().targetTokens(20).build())
                .build();
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, smaller);
        IngestReport report = knowledge
                .ingest(source("s", List.of(longer, text("e", "Short."))))
                .run();
        assertThat(report.added()).isEqualTo(2);
        assertThat(report.passages()).isGreaterThan(2);
    }

    @Test
    void aCancelledIngestKeepsItsCommitsAndIsResumed() {
        knowledge.close();
        KnowledgeOptions often = KnowledgeOptions.builder().commitPassages(4).build();
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, often);
        Job<IngestReport> job = knowledge.ingest(source("s", numbered(20)));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress
                    && progress.stage().equals("commit")
                    && progress.done() == 4) { // the first commit, which is made whatever the time
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(knowledge.stats().documents()).isEqualTo(4);
        IngestReport rest = knowledge.ingest(source("s", numbered(20))).run();
        assertThat(rest.unchanged()).isEqualTo(4);
        assertThat(rest.added()).isEqualTo(16);
        assertThat(rest.embedded()).isEqualTo(16);
    }

    @Test
    void onlyOneMayWrite() {
        assertThatThrownBy(() -> KnowledgeBase.open(folder.resolve("kb"), embedder))
                .isInstanceOf(StorageException.class)
                .hasMessage("The knowledge base in " + folder.resolve("kb")
                        + " is in use by another process or another KnowledgeBase of this one, and only one may write;"
                        + " close that one, or open this one read-only");
    }

    @Test
    void othersReadWhileOneWrites() {
        knowledge.ingest(source("s", numbered(2))).run();
        try (KnowledgeBase reader = KnowledgeBase.openReadOnly(folder.resolve("kb"), embedder)) {
            assertThat(reader.retriever().retrieve(Query.of("document"))).hasSize(2);
            knowledge.ingest(source("s", numbered(3))).run();
            assertThat(reader.retriever().retrieve(Query.of("document"))).hasSize(2);
            assertThat(reader.refresh()).isTrue();
            assertThat(reader.refresh()).isFalse();
            assertThat(reader.retriever().retrieve(Query.of("document"))).hasSize(3);
            assertThatThrownBy(() -> reader.delete("s"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The knowledge base in " + folder.resolve("kb")
                            + " is open read-only; open it with KnowledgeBase.open to change it");
        }
    }

    @Test
    void anotherEmbedderIsRefusedWithTheRemedy() {
        knowledge.close();
        HashingEmbedder other = new HashingEmbedder("other", 32, WINDOW);
        assertThatThrownBy(() -> KnowledgeBase.open(folder.resolve("kb"), other))
                .isInstanceOf(StorageException.class)
                .hasMessage("The knowledge base in " + folder.resolve("kb")
                        + " was made with embedder hashing (hash-32), not with hashing (other), and their vectors"
                        + " cannot be compared (the embedder's files or options have changed, or an earlier version of"
                        + " Pollux made it); open it with that embedder, or ingest into a new folder");
    }

    @Test
    void anIndexOfAnUnknownCodecIsRefusedWithTheRemedy() throws IOException {
        knowledge
                .ingest(source("s", List.of(text("d", "The boat is called Heron."))))
                .run();
        knowledge.close();
        String codec = org.apache.lucene.codecs.Codec.getDefault().getName();
        rename(codec, "X".repeat(codec.length()));
        String message = "The knowledge base in " + folder.resolve("kb")
                + " was written by another version of Lucene than " + Version.LATEST
                + ", which is on the class path; if that one was older, put"
                + " org.apache.lucene:lucene-backward-codecs:" + Version.LATEST
                + " on the class path; else open it with"
                + " the version that wrote it, or ingest into a new folder";

        assertThatThrownBy(() -> KnowledgeBase.open(folder.resolve("kb"), embedder))
                .isInstanceOf(StorageException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> KnowledgeBase.openReadOnly(folder.resolve("kb")))
                .isInstanceOf(StorageException.class)
                .hasMessage(message);
    }

    /** Renames the codec of the newest commit: its name is of the same length, and the last 8 bytes of the file are its checksum. */
    private void rename(String codec, String other) throws IOException {
        Path newest;
        try (Stream<Path> files = Files.list(folder.resolve("kb/index"))) {
            newest = files.filter(file -> file.getFileName().toString().startsWith("segments_"))
                    .findFirst()
                    .orElseThrow();
        }
        String bytes = Files.readString(newest, StandardCharsets.ISO_8859_1).replace(codec, other);
        byte[] renamed = bytes.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 sum = new CRC32();
        sum.update(renamed, 0, renamed.length - Long.BYTES);
        ByteBuffer.wrap(renamed).putLong(renamed.length - Long.BYTES, sum.getValue());
        Files.write(newest, renamed);
    }

    @Test
    void anotherFormatIsRefusedWithTheRemedy() throws IOException {
        knowledge.close();
        try (var directory = org.apache.lucene.store.FSDirectory.open(folder.resolve("kb/index"));
                var writer = new org.apache.lucene.index.IndexWriter(
                        directory, new org.apache.lucene.index.IndexWriterConfig())) {
            writer.setLiveCommitData(Map.of("pollux.format", "1").entrySet());
            writer.commit();
        }
        String message =
                "The knowledge base in " + folder.resolve("kb") + " has format 1, which another version of Pollux"
                        + " wrote; this one reads formats 3 to " + KnowledgeBase.FORMAT
                        + ": delete the folder and ingest the documents"
                        + " again, or open it with the version that wrote it";
        assertThatThrownBy(() -> KnowledgeBase.open(folder.resolve("kb"), embedder))
                .isInstanceOf(StorageException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> KnowledgeBase.openReadOnly(folder.resolve("kb")))
                .isInstanceOf(StorageException.class)
                .hasMessage(message);
    }

    @Test
    void aFolderWithOtherThingsIsRefused() throws IOException {
        Path docs = Files.createDirectory(folder.resolve("docs"));
        Files.writeString(docs.resolve("a.txt"), "a");
        assertThatThrownBy(() -> KnowledgeBase.open(docs, embedder))
                .isInstanceOf(StorageException.class)
                .hasMessage("Folder " + docs
                        + " holds other files and no knowledge base; give a new folder or an empty one");
        assertThatThrownBy(() -> KnowledgeBase.openReadOnly(folder.resolve("none"), embedder))
                .isInstanceOf(StorageException.class)
                .hasMessage(
                        "There is no knowledge base in " + folder.resolve("none") + "; ingest documents into it first");
        assertThat(folder.resolve("none")).doesNotExist();
    }

    @Test
    void aClosedOneSaysSo() {
        knowledge.close();
        knowledge.close();
        String message = "The knowledge base in " + folder.resolve("kb") + " is closed";
        assertThatThrownBy(() -> knowledge.retriever().retrieve(Query.of("x")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> knowledge.ingest(source("s", List.of())).run()).hasMessage(message);
        assertThatThrownBy(() -> knowledge.stats()).hasMessage(message);
        assertThatThrownBy(() -> knowledge.refresh()).hasMessage(message);
    }

    @Test
    void aSourceNameThatWouldBlurIdsIsRefused() {
        assertThatThrownBy(() -> knowledge.ingest(source("a#b", List.of())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A source's name must not be blank, longer than 4096 characters or hold # or control"
                        + " characters but was 'a#b'");
    }

    @Test
    void defaultsAreTheBuilders() {
        assertThat(KnowledgeOptions.builder().build()).isEqualTo(KnowledgeOptions.DEFAULTS);
        assertThat(KnowledgeOptions.builder().build()).isEqualTo(KnowledgeOptions.DEFAULTS);
        assertThat(KnowledgeOptions.DEFAULTS.chunking()).isEmpty();
        assertThat(KnowledgeOptions.DEFAULTS.commitPassages()).isEqualTo(512);
        assertThat(KnowledgeOptions.DEFAULTS.vectorCodes()).isTrue();
        assertThat(KnowledgeOptions.DEFAULTS.backgroundIndex()).isTrue();
        assertThat(KnowledgeOptions.DEFAULTS.indexExecutor()).isEmpty();
    }

    private List<String> ids(String query) {
        return knowledge.retriever().retrieve(Query.of(query, 100)).stream()
                .map(hit -> hit.passage().document())
                .toList();
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(folder.resolve("kb/index"))) {
            return files.map(String::valueOf).sorted().toList();
        }
    }

    private static List<Document> numbered(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> text("d" + i, "This is document " + i + "."))
                .toList();
    }

    private static Document text(String id, String text) {
        return new Document(id, "text/plain", text, Map.of());
    }

    private static DocumentSource source(String name, List<Document> documents) {
        return DocumentSource.of(name, documents);
    }
}
