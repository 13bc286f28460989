package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnowledgeManifestTest {

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(8, 64);
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        knowledge = KnowledgeBase.open(
                folder.resolve("kb"),
                embedder,
                KnowledgeOptions.builder().commitPassages(4).build());
    }

    @Test
    void aChangedByteOfTheFileIsFoundAndMendedByARebuild() throws IOException {
        ingest("notes", 2);
        Path file = folder.resolve("kb").resolve(ArtifactManifest.FILE);
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] changed = whole.clone();
            changed[i] ^= 1;
            Files.write(file, changed);
            assertThat(faults()).as("byte %d", i).hasSize(1);
        }
        knowledge.rebuild().run();
        assertThat(faults()).isEmpty();
        assertThat(Files.readAllBytes(file)).isEqualTo(whole);
    }

    @Test
    void aChangedVersionIsFound() {
        ingest("notes", 2);
        ArtifactManifest known = manifest();
        new ArtifactManifest(
                        known.kind(),
                        known.operation(),
                        known.version() + "1",
                        known.inputs(),
                        known.options(),
                        known.seed(),
                        known.scores())
                .write(folder.resolve("kb"));
        assertThat(faults())
                .containsExactly(
                        new VerifyReport.Fault(ArtifactManifest.FILE, "does not describe the newest commit", true));
    }

    private List<VerifyReport.Fault> faults() {
        return KnowledgeBase.verifying(folder.resolve("kb")).run().faults();
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void itSaysWhatWasIngestedAndHow() {
        assertThat(manifest().inputs()).isEmpty();
        ingest("notes", 2);
        ingest("mail", 1);
        ArtifactManifest manifest = manifest();
        assertThat(manifest.kind()).isEqualTo(Kind.KNOWLEDGE);
        assertThat(manifest.operation()).isEqualTo("ingest");
        assertThat(manifest.inputs()).extracting(Input::path).containsExactly("mail", "notes");
        assertThat(manifest.inputs()).extracting(Input::bytes).containsExactly(2 * 11L, 2 * 22L);
        assertThat(manifest.options())
                .containsEntry("embedder", "hashing")
                .containsEntry("fingerprint", "hash-8")
                .containsEntry("dimension", "8")
                .containsKeys("chunking", "analysis");
        assertThat(manifest.options().get("chunking")).contains("window=");
    }

    @Test
    void theSameDocumentsGiveTheSameManifest() {
        ingest("notes", 3);
        ArtifactManifest before = manifest();
        ingest("notes", 5);
        assertThat(manifest().inputs().get(0).sha256())
                .isNotEqualTo(before.inputs().get(0).sha256());
        knowledge.delete("notes", List.of("d3", "d4"));
        assertThat(manifest()).isEqualTo(before);
        knowledge.delete("notes");
        assertThat(manifest().inputs()).isEmpty();
    }

    @Test
    void readingWhatIsUnchangedLeavesTheFileAlone() throws IOException {
        ingest("notes", 3);
        Path file = folder.resolve("kb").resolve(ArtifactManifest.FILE);
        FileTime old = FileTime.fromMillis(1_000);
        Files.setLastModifiedTime(file, old);
        ingest("notes", 3);
        knowledge.close();
        open();
        assertThat(Files.getLastModifiedTime(file)).isEqualTo(old);
    }

    @Test
    void aCancelledIngestIsDescribedAsFarAsItWasCommitted() {
        AtomicInteger committed = new AtomicInteger();
        Job<IngestReport> job = knowledge.ingest(source("notes", 40));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress
                    && progress.stage().equals("commit")
                    && progress.done() > 0
                    && committed.compareAndSet(0, (int) progress.done())) { // not every commit has an event
                assertThat(ArtifactManifest.isIn(folder.resolve("kb"))).isFalse();
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        ArtifactManifest part = manifest();
        ingest("notes", 40);
        knowledge.delete(
                "notes",
                IntStream.range(committed.get(), 40).mapToObj(i -> "d" + i).toList());
        assertThat(manifest()).isEqualTo(part);
    }

    @Test
    void openingWritesOneThatIsMissing() {
        ingest("notes", 3);
        ArtifactManifest before = manifest();
        ArtifactManifest.delete(folder.resolve("kb"));
        knowledge.close();
        open();
        assertThat(manifest()).isEqualTo(before);
    }

    private ArtifactManifest manifest() {
        return ArtifactManifest.read(folder.resolve("kb")).orElseThrow();
    }

    private void ingest(String source, int documents) {
        knowledge.ingest(source(source, documents)).run();
    }

    private static DocumentSource source(String name, int documents) {
        return DocumentSource.of(
                name,
                IntStream.range(0, documents)
                        .mapToObj(i -> new Document("d" + i, "text/plain", String.format("Document %02d", i), Map.of()))
                        .toList());
    }
}
