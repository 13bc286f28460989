package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnownSource;
import dev.pollux.rag.knowledge.SkippedFile;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.FakeEmbedder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders that are linked, moved, copied, nested and deleted, and what is found of them. */
class SourceIdentityTest {

    @TempDir
    Path temp;

    private Path root;
    private FakeEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() throws IOException {
        root = temp.toRealPath();
        embedder = FakeEmbedder.open();
        knowledge = KnowledgeBase.open(root.resolve("kb"), embedder);
    }

    @AfterEach
    void close() {
        knowledge.close();
        embedder.close();
    }

    @Test
    void aFolderIsOneSourceByWhicheverPath() throws IOException {
        write("real/plan.md", "The fair is on Monday.");
        write("real/lift.md", "The lift is red.");
        Files.createSymbolicLink(root.resolve("link"), root.resolve("real"));
        ingest("link");
        write("real/plan.md", "The fair is on Friday.");
        Files.delete(root.resolve("real/lift.md"));

        IngestReport report = ingest("real/../real/.");

        assertThat(report.source()).isEqualTo("real");
        assertThat(report.updated()).isEqualTo(1);
        assertThat(report.deleted()).isEqualTo(1);
        assertThat(texts()).containsExactly("The fair is on Friday.");
        assertThat(knowledge.sources()).extracting(KnownSource::name).containsExactly("real");
    }

    @Test
    void filesOfOneNameAreToldApart() throws IOException {
        write("red/README.md", "The red team meets on Monday.");
        write("blue/README.md", "The blue team meets on Friday.");
        ingest("red");
        ingest("blue");
        assertThat(hits())
                .extracting(hit -> hit.passage().origin())
                .containsExactlyInAnyOrder(
                        new Origin("red", "README.md", root + "/red/README.md", List.of()),
                        new Origin("blue", "README.md", root + "/blue/README.md", List.of()));
        assertThat(hits())
                .extracting(hit -> hit.passage().id())
                .containsExactlyInAnyOrder("red#README.md#0", "blue#README.md#0");
    }

    @Test
    void foldersOfOneNameTakeThoseAboveThem() throws IOException {
        for (String folder : List.of("a/docs", "b/docs", "c/b/docs", "d/c/b/docs")) {
            write(folder + "/x.md", "Text of " + folder + ".");
            ingest(folder);
        }
        assertThat(names()).containsExactly("b/docs", "c/b/docs", "d/c/b/docs", "docs");
        assertThat(ingest("b/docs").source()).isEqualTo("b/docs");
        assertThat(ingest("b/docs").unchanged()).isEqualTo(1);
    }

    @Test
    void aFolderThatMovedIsKnownByItsDocuments() throws IOException {
        write("first/plan.md", "The fair is on Monday.");
        write("first/lift.md", "The lift is red.");
        ingest("first");
        for (String place : List.of("second", "deep/third")) {
            Path before = root.resolve(place.equals("second") ? "first" : "second");
            Files.createDirectories(root.resolve(place).getParent());
            Files.move(before, root.resolve(place));
            write(place + "/plan.md", "The fair is on " + place + ".");

            IngestReport report = ingest(place);

            String name = String.valueOf(root.resolve(place).getFileName());
            assertThat(report.notices())
                    .containsExactly("source " + before.getFileName() + ", read from " + before + " before, is now "
                            + name + " in " + root.resolve(place));
            assertThat(report.source()).isEqualTo(name);
            assertThat(report.unchanged()).isEqualTo(1);
            assertThat(report.updated()).isEqualTo(1);
            assertThat(texts()).containsExactlyInAnyOrder("The fair is on " + place + ".", "The lift is red.");
            assertThat(knowledge.sources()).extracting(KnownSource::path).containsExactly(root + "/" + place);
        }
    }

    @Test
    void aFolderWithALinkInItsOldPlaceHasMovedToo() throws IOException {
        write("old/plan.md", "The fair is on Monday.");
        ingest("old");
        Files.move(root.resolve("old"), root.resolve("new"));
        Files.createSymbolicLink(root.resolve("old"), root.resolve("new"));
        assertThat(ingest("old").unchanged()).isEqualTo(1);
        assertThat(names()).containsExactly("new");
    }

    @Test
    void aFolderThatWasEditedMuchIsKnownByWhatItsFilesStillSay() throws IOException {
        write("old/plan.md", "The fair takes place on Monday, with games and music.");
        write("old/lift.md", "The lift is red.");
        write("old/dog.md", "The dog barks at night.");
        ingest("old");
        Files.move(root.resolve("old"), root.resolve("new"));
        write("new/plan.md", "The fair takes place on Friday, with games and music.");
        Files.delete(root.resolve("new/dog.md"));
        assertThat(ingest("new").updated()).isEqualTo(1);
        assertThat(names()).containsExactly("new");
    }

    @Test
    void aFolderThatWasMovedIntoAnotherIsPartOfThat() throws IOException {
        write("notes/plan.md", "The fair is on Monday.");
        write("notes/lift.md", "The lift is red.");
        write("docs/dog.md", "The dog barks.");
        ingest("notes");
        ingest("docs");
        Files.move(root.resolve("notes"), root.resolve("docs/notes"));
        write("docs/notes/plan.md", "The fair is on Friday.");
        assertThat(ingest("docs").notices())
                .containsExactly("source notes, read from " + root + "/notes before, is now part of docs");
        assertThat(names()).containsExactly("docs");
        assertThat(texts()).containsExactlyInAnyOrder("The fair is on Friday.", "The lift is red.", "The dog barks.");
    }

    @Test
    void aLicenceAndFilesOfOneNameMakeNoFolderTheSame() throws IOException {
        write("old/LICENSE", "You may use this.");
        write("old/README.md", "A library for ships.");
        ingest("old");
        Files.move(root.resolve("old"), root.resolve("elsewhere"));
        write("new/LICENSE", "You may use this.");
        write("new/README.md", "How horses are tamed.");
        ingest("new");
        assertThat(names()).containsExactly("new", "old");
    }

    @Test
    void aLinkThatLeadsElsewhereNowIsReadAnew() throws IOException {
        write("v1/plan.md", "The fair is on Monday.");
        write("v2/plan.md", "The fair is on Friday, or was it?");
        write("v3/plan.md", "There is no fair at all.");
        for (String version : List.of("v1", "v2", "v3")) {
            Files.deleteIfExists(root.resolve("current"));
            Files.createSymbolicLink(root.resolve("current"), Path.of(version));
            if (version.equals("v3")) {
                ingest("v3");
            }
            ingest("current");
            assertThat(names()).containsExactly(version);
            assertThat(texts()).hasSize(1);
        }
        ingest("v1");
        assertThat(names()).containsExactly("v1", "v3");
    }

    @Test
    void anotherFolderInTheStateOfAGoneOneIsNotTheSame() throws IOException {
        write("old/a.md", "One.");
        write("old/b.md", "Two.");
        write("old/c.md", "Three.");
        ingest("old");
        Files.move(root.resolve("old"), root.resolve("elsewhere"));
        write("new/a.md", "One.");
        write("new/x.md", "Another.");
        assertThat(ingest("new").notices()).isEmpty();
        assertThat(knowledge.sources())
                .extracting(KnownSource::name, KnownSource::missing)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("new", false),
                        org.assertj.core.groups.Tuple.tuple("old", true));
    }

    @Test
    void copiesAreFoundOnceAndNamed() throws IOException {
        write("docs/plan.md", "The fair is on Monday.\n");
        write("docs/old/plan copy.md", "The fair is on Monday.\r\n");
        write("backup/plan.md", "The fair is on Monday.");
        ingest("docs");
        ingest("backup");
        assertThat(hits())
                .extracting(hit -> hit.passage().origin())
                .containsExactly(new Origin(
                        "backup",
                        "plan.md",
                        root + "/backup/plan.md",
                        List.of(root + "/docs/old/plan copy.md", root + "/docs/plan.md")));
        assertThat(knowledge.denseRetriever().retrieve(Query.of("fair"))).hasSize(1);
        assertThat(knowledge.lexicalRetriever().retrieve(Query.of("fair"))).hasSize(1);
        assertThat(knowledge.stats().documents()).isEqualTo(3);

        delete("backup");
        ingest("docs");
        knowledge.close();
        knowledge = KnowledgeBase.open(root.resolve("kb"), embedder);

        assertThat(hits())
                .extracting(hit -> hit.passage().origin())
                .containsExactly(new Origin(
                        "docs", "plan.md", root + "/docs/plan.md", List.of(root + "/docs/old/plan copy.md")));
    }

    @Test
    void aHundredCopiesLeaveRoomForOthers() throws IOException {
        for (int i = 0; i < 100; i++) {
            write("docs/" + i + ".md", "The fair is on Monday, the fair.");
        }
        write("docs/other.md", "Another fair.");
        ingest("docs");
        assertThat(knowledge.retriever().retrieve(Query.of("the fair", 2)))
                .extracting(hit -> hit.passage().text())
                .containsExactlyInAnyOrder("The fair is on Monday, the fair.", "Another fair.");
        assertThat(hits().stream()
                        .mapToInt(hit -> hit.passage().origin().copies().size())
                        .max())
                .hasValue(20);
    }

    @Test
    void aFolderInAFolderIsAsItWasReadLast() throws IOException {
        write("docs/a.md", "The lift is red.");
        write("docs/in/b.md", "The fair is on Monday.");
        write("docs/in/c.md", "The dog barks.");
        ingest("docs");
        ingest("docs/in");
        assertThat(texts()).containsExactlyInAnyOrder("The lift is red.", "The fair is on Monday.", "The dog barks.");
        assertThat(hits())
                .allSatisfy(hit -> assertThat(hit.passage().origin().copies()).isEmpty());
        write("docs/in/b.md", "The fair is on Friday.");
        Files.delete(root.resolve("docs/in/c.md"));
        ingest("docs/in");
        assertThat(texts()).containsExactlyInAnyOrder("The lift is red.", "The fair is on Friday.");
        write("docs/in/b.md", "The fair is on Sunday.");
        ingest("docs");
        assertThat(texts()).containsExactlyInAnyOrder("The lift is red.", "The fair is on Sunday.");
    }

    @Test
    void anotherChoiceOfFilesIsTheSameSource() throws IOException {
        write("docs/a.md", "The lift is red.");
        write("docs/b.txt", "The fair is on Monday.");
        ingest("docs");
        FolderOptions some = FolderOptions.builder().include(List.of("*.md")).build();
        IngestReport report = knowledge
                .ingest(DocumentSource.folder(root.resolve("docs"), some))
                .run();
        assertThat(report.deleted()).isEqualTo(1);
        assertThat(names()).containsExactly("docs");
        assertThat(texts()).containsExactly("The lift is red.");
    }

    @Test
    void aGivenNameStaysWhereverTheFolderIs() throws IOException {
        write("docs/a.md", "The lift is red.");
        ingest("docs");
        FolderOptions named = FolderOptions.builder().name("handbook").build();
        assertThat(knowledge
                        .ingest(DocumentSource.folder(root.resolve("docs"), named))
                        .run()
                        .unchanged())
                .isEqualTo(1);
        assertThat(names()).containsExactly("handbook");
        assertThat(ingest("docs").source()).isEqualTo("handbook");
        write("other/b.md", "The fair is on Monday.");
        IngestReport report = knowledge
                .ingest(DocumentSource.folder(root.resolve("other"), named))
                .run();
        assertThat(report.notices())
                .containsExactly("source handbook, read from " + root + "/docs before, is now in " + root + "/other");
        assertThat(texts()).containsExactly("The fair is on Monday.");
    }

    @Test
    void aNameMadeOfAPathGivesWayToOneThatWasGiven() throws IOException {
        write("a/docs/a.md", "The lift is red.");
        ingest("a/docs");
        knowledge
                .ingest(DocumentSource.of("docs", List.of(new Document("x", "text/plain", "The dog barks.", Map.of()))))
                .run();
        assertThat(names()).containsExactly("a/docs", "docs");
        assertThat(texts()).hasSize(2);
    }

    @Test
    void aHostsDocumentsSayWhereTheyAre() {
        knowledge
                .ingest(DocumentSource.of(
                        "wiki",
                        List.of(
                                new Document(
                                        "p1", "https://wiki.example/p1", "text/plain", "The lift is red.", Map.of()),
                                new Document("p2", "text/plain", "The dog barks.", Map.of()))))
                .run();
        assertThat(hits())
                .extracting(hit -> hit.passage().origin())
                .containsExactlyInAnyOrder(
                        new Origin("wiki", "p1", "https://wiki.example/p1", List.of()),
                        new Origin("wiki", "p2", "p2", List.of()));
        assertThat(knowledge.sources()).extracting(KnownSource::missing).containsExactly(false);
    }

    @Test
    void whatWasSkippedIsKept() throws IOException {
        write("docs/a.md", "The lift is red.");
        write("docs/b.pdf", "x");
        write("docs/c.png", "x");
        Files.write(root.resolve("docs/d.txt"), new byte[] {0, 1, 2});
        IngestReport report = ingest("docs");
        assertThat(report.skippedFiles().summary()).isEqualTo("1 PDF file, 1 unreadable file and 1 other file");
        assertThat(report.skippedFiles().files())
                .containsExactly(
                        new SkippedFile("b.pdf", "is of type PDF, which is not read"),
                        new SkippedFile("d.txt", "is binary and no text"),
                        new SkippedFile("c.png", "is of a type that is not read"));
        assertThat(knowledge.sources().get(0).skipped()).isEqualTo(report.skippedFiles());
        Files.delete(root.resolve("docs/b.pdf"));
        ingest("docs");
        assertThat(knowledge.sources().get(0).skipped().kinds()).isEmpty();
    }

    @Test
    void withoutAnEmbedderOneMayListAndDelete() throws IOException {
        write("docs/a.md", "The lift is red.");
        ingest("docs");
        knowledge.close();
        try (KnowledgeBase bare = KnowledgeBase.open(root.resolve("kb"))) {
            assertThat(bare.sources()).extracting(KnownSource::documents).containsExactly(1);
            assertThat(bare.lexicalRetriever().retrieve(Query.of("lift"))).hasSize(1);
            assertThatThrownBy(() -> bare.denseRetriever().retrieve(Query.of("lift")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The knowledge base was opened without an embedder; open it with "
                            + embedder.info().name() + " to ingest documents or to find passages by their vectors");
            assertThat(bare.delete("docs")).isEqualTo(1);
            assertThat(bare.sources()).isEmpty();
        }
        assertThatThrownBy(() -> KnowledgeBase.openReadOnly(root.resolve("none")))
                .isInstanceOf(StorageException.class)
                .hasMessage(
                        "There is no knowledge base in " + root.resolve("none") + "; ingest documents into it first");
    }

    private IngestReport ingest(String folder) {
        return knowledge.ingest(DocumentSource.folder(root.resolve(folder))).run();
    }

    private List<String> names() {
        return knowledge.sources().stream().map(KnownSource::name).toList();
    }

    private List<Hit> hits() {
        return knowledge.retriever().retrieve(Query.of("the team lift fair dog", 100));
    }

    private List<String> texts() {
        return hits().stream().map(hit -> hit.passage().text()).toList();
    }

    private void write(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private void delete(String folder) throws IOException {
        try (var files = Files.walk(root.resolve(folder))) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
