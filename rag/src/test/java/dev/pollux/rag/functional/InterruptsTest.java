package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.CancelledException;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.Interrupted;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A knowledge base whose threads are interrupted, at any moment, goes on to work. */
@NoLeaks
class InterruptsTest {

    private static final int ROUNDS = 150;
    private static final int MAX_MICROS = 20_000;

    @TempDir
    Path folder;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    /** Interrupts a thread again and again until it is closed. */
    private static final class Interrupter implements AutoCloseable {

        private final AtomicBoolean over = new AtomicBoolean();
        private final Thread thread;

        Interrupter(Thread victim, Random random) {
            thread = new Thread(() -> {
                while (!over.get()) {
                    LockSupport.parkNanos(1000L * random.nextInt(MAX_MICROS));
                    victim.interrupt();
                }
            });
        }

        void start() {
            thread.start();
        }

        @Override
        public void close() {
            over.set(true);
            Thread.interrupted();
            while (thread.isAlive()) {
                LockSupport.parkNanos(1000);
                Thread.interrupted();
            }
        }
    }

    private static DocumentSource documents(int round) {
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            documents.add(new Document("d" + i, "text/plain", "heron " + i + " flies in round " + round, Map.of()));
        }
        return DocumentSource.of("birds", documents);
    }

    @Test
    void interruptsAtAnyMomentLeaveItWhole() throws Exception {
        KnowledgeOptions options = KnowledgeOptions.builder().commitPassages(7).build();
        try (FakeEmbedder embedder = FakeEmbedder.open();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, options)) {
            int cancelled = 0;
            try (Interrupter interrupter = new Interrupter(Thread.currentThread(), random)) {
                interrupter.start();
                for (int round = 0; round < ROUNDS; round++) {
                    try {
                        knowledge.ingest(documents(round)).run();
                        assertThat(knowledge.retriever().retrieve(Query.of("heron 3")))
                                .isNotEmpty();
                    } catch (CancelledException e) {
                        cancelled += Thread.interrupted() ? 1 : 0;
                    }
                }
            }
            assertThat(cancelled).as("interrupts seen, with seed %d", seed).isPositive();

            knowledge.ingest(documents(ROUNDS)).run();
            assertThat(knowledge.stats().documents()).isEqualTo(20);
            assertThat(knowledge
                            .retriever()
                            .retrieve(Query.of("heron 3"))
                            .get(0)
                            .passage()
                            .text())
                    .isEqualTo("heron 3 flies in round " + ROUNDS);
        }
        try (FakeEmbedder embedder = FakeEmbedder.open();
                KnowledgeBase again = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            assertThat(again.stats().documents()).isEqualTo(20);
        }
    }

    @Test
    void aFileIsNotPassedOverBecauseTheThreadIsInterrupted() throws IOException {
        Path docs = Files.createDirectory(folder.resolve("docs"));
        Files.writeString(docs.resolve("a.md"), "A heron stands in the reeds.");
        Files.writeString(docs.resolve("b.md"), "A second heron flies.");
        try (FakeEmbedder embedder = FakeEmbedder.open();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            Interrupted.isRefused(() -> knowledge.ingest(sink(docs)).run());
            assertThat(knowledge.ingest(DocumentSource.folder(docs)).run().skipped())
                    .isZero();
        }
    }

    /** A folder whose reading begins with an interrupt, which shows when its first file is read. */
    private static DocumentSource sink(Path docs) {
        DocumentSource files = DocumentSource.folder(docs);
        return new DocumentSource() {
            @Override
            public String name() {
                return files.name();
            }

            @Override
            public void read(dev.pollux.rag.source.DocumentSink sink) {
                Thread.currentThread().interrupt();
                files.read(new dev.pollux.rag.source.DocumentSink() {
                    @Override
                    public void expect(long documents) {
                        // progress would end the job before a file is read
                    }

                    @Override
                    public void document(Document document) {
                        throw new AssertionError("read " + document.id());
                    }

                    @Override
                    public void skipped(String id, String reason) {
                        throw new AssertionError(id + " " + reason);
                    }

                    @Override
                    public void unread(String id, String kind, String reason) {
                        throw new AssertionError(id + " " + kind);
                    }

                    @Override
                    public void notice(String id, String message) {
                        throw new AssertionError(id + " " + message);
                    }
                });
            }
        };
    }

    @Test
    void openingIsRefusedToAnInterruptedThread() {
        try (FakeEmbedder embedder = FakeEmbedder.open()) {
            Interrupted.isRefused(() -> KnowledgeBase.open(folder.resolve("kb"), embedder));
            KnowledgeBase.open(folder.resolve("kb"), embedder).close();
        }
    }

    @Test
    void anInterruptedThreadMayClose() {
        try (FakeEmbedder embedder = FakeEmbedder.open()) {
            KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
            knowledge.ingest(documents(0)).run();
            Thread.currentThread().interrupt();
            knowledge.close();
            assertThat(Thread.interrupted()).isTrue();
            KnowledgeBase.open(folder.resolve("kb"), embedder).close();
        }
    }
}
