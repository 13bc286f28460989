package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.SkippedFile;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.rag.source.ReaderIsolation;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that end, block or exhaust the process that reads them are named, and the ingest goes on. */
@NoLeaks
class ReaderIsolationTest {

    private static final ReaderIsolation SMALL =
            ReaderIsolation.builder().maxHeap(48 << 20).build();

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
    }

    @AfterEach
    void close() {
        knowledge.close();
    }

    @Test
    void filesThatEndTheChildAreNamedAndTheOthersAreRead() throws IOException {
        write("a.hostile", "Apples \u00e9\ud83c\udf4e");
        write("b.hostile", "end");
        write("c.hostile", "memory");
        write("d.hostile", "throw");
        write("e.hostile", "skip");
        write("f.hostile", "Pears");
        write("g.hostile", "print");
        write("h.md", "Plums");

        IngestReport report = ingest(SMALL);

        assertThat(report.skippedFiles().files())
                .containsExactly(
                        new SkippedFile(
                                "b.hostile", "cannot be read: it ends the process that reads it (exit code 134)"),
                        new SkippedFile(
                                "c.hostile",
                                "cannot be read: it needs more memory than the 48 MiB of the process that reads it"),
                        new SkippedFile("d.hostile", "cannot be read: no such part"),
                        new SkippedFile("e.hostile", "is encrypted"),
                        new SkippedFile("g.hostile", "has no text"));
        assertThat(report.added()).isEqualTo(3);
        assertThat(report.notices()).contains("a.hostile is odd");
        List<Passage> apples = knowledge.passages("docs", "a.hostile");
        assertThat(apples).extracting(Passage::text).containsExactly("Apples \u00e9\ud83c\udf4e");
        assertThat(apples.get(0).metadata().get("pid"))
                .isNotEqualTo(String.valueOf(ProcessHandle.current().pid()));
    }

    @Test
    void aFileThatIsReadForTooLongIsNamed() throws IOException {
        write("a.hostile", "sleep");
        write("b.hostile", "Pears");
        ReaderIsolation hurried =
                ReaderIsolation.builder().timeout(Duration.ofSeconds(5)).build();

        IngestReport report = ingest(hurried);

        assertThat(report.skippedFiles().files())
                .containsExactly(new SkippedFile("a.hostile", "cannot be read: it takes longer than 5 s"));
        assertThat(report.added()).isEqualTo(1);
    }

    @Test
    void anInterruptEndsTheChildAndTheIngest() throws IOException {
        write("a.hostile", "sleep");
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> ingest(SMALL)).isInstanceOf(CancelledException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void aClassPathWithoutTheLibraryIsAnswered() throws IOException {
        write("a.hostile", "Apples");
        ReaderIsolation wrong =
                ReaderIsolation.builder().classPath("no/such.jar").build();
        assertThatThrownBy(() -> ingest(wrong))
                .isInstanceOf(StorageException.class)
                .hasMessage("The process that reads documents cannot be started from the class path no/such.jar; give"
                        + " ReaderIsolation a class path with pollux-rag and its readers, or read without one");
    }

    @Test
    void limitsThatCannotBeAreRefused() {
        assertThatThrownBy(() -> ReaderIsolation.builder().maxHeap(1).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxHeap must be at least 33554432 but was 1");
        assertThatThrownBy(
                        () -> ReaderIsolation.builder().timeout(Duration.ZERO).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("timeout must be positive but was PT0S");
    }

    private IngestReport ingest(ReaderIsolation isolation) {
        FolderOptions options = FolderOptions.builder().isolation(isolation).build();
        return knowledge.ingest(DocumentSource.folder(docs, options)).run();
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(docs.resolve(name), text);
    }
}
