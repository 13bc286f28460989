package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Retrieval beside an ingest, and two writers. */
class ConcurrencyTest {

    private static final int DOCUMENTS = 12;
    private static final int ROUNDS = 15;

    @TempDir
    private Path folder;

    private final ExecutorService threads = Executors.newFixedThreadPool(3);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void aQuerySeesOneCommit() throws InterruptedException, ExecutionException {
        try (HashingEmbedder embedder = new HashingEmbedder(16, 64);
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            knowledge.ingest(source(0)).run();
            AtomicBoolean done = new AtomicBoolean();
            Callable<Integer> reader = () -> {
                int queries = 0;
                while (!done.get()) {
                    List<Hit> hits = knowledge.retriever().retrieve(Query.of("document in round", 100));
                    Set<String> rounds = hits.stream()
                            .map(hit -> hit.passage().text().replaceAll(".* ", ""))
                            .collect(Collectors.toSet());
                    assertThat(hits).hasSize(DOCUMENTS);
                    assertThat(rounds).hasSize(1);
                    queries++;
                }
                return queries;
            };
            Future<Integer> one = threads.submit(reader);
            Future<Integer> two = threads.submit(reader);
            for (int round = 1; round <= ROUNDS; round++) {
                assertThat(knowledge.ingest(source(round)).run().updated()).isEqualTo(DOCUMENTS);
            }
            done.set(true);
            assertThat(one.get() + two.get()).isPositive();
        }
    }

    @Test
    void twoIngestsFollowEachOther() throws InterruptedException, ExecutionException {
        try (HashingEmbedder embedder = new HashingEmbedder(16, 64);
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            Job<IngestReport> one = knowledge.ingest(source(1));
            Job<IngestReport> two = knowledge.ingest(DocumentSource.of("other", List.of()));
            Future<IngestReport> first = threads.submit(one::run);
            Future<IngestReport> second = threads.submit(two::run);
            assertThat(first.get().added()).isEqualTo(DOCUMENTS);
            assertThat(second.get().added()).isZero();
        }
    }

    @Test
    void closingStopsARunningIngestAfterItsLastCommit() throws InterruptedException {
        CountDownLatch committed = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        KnowledgeOptions often = KnowledgeOptions.builder().commitPassages(2).build();
        try (HashingEmbedder embedder = new HashingEmbedder(16, 64)) {
            KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, often);
            Job<IngestReport> job = knowledge.ingest(source(1));
            job.onEvent(event -> {
                if (event instanceof JobEvent.Progress progress
                        && progress.stage().equals("commit")) {
                    committed.countDown();
                    await(closing);
                }
            });
            Future<IngestReport> run = threads.submit(job::run);
            committed.await();
            Future<?> close = threads.submit(knowledge::close);
            while (isOpen(knowledge)) {
                Thread.onSpinWait();
            }
            closing.countDown();
            assertThatThrownBy(run::get)
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("is closed");
            assertThat(close).succeedsWithin(java.time.Duration.ofSeconds(30));
            try (KnowledgeBase again = KnowledgeBase.open(folder.resolve("kb"), embedder, often)) {
                assertThat(again.stats().documents()).isEqualTo(2);
                assertThat(again.ingest(source(1)).run().unchanged()).isEqualTo(2);
            }
        }
    }

    private static boolean isOpen(KnowledgeBase knowledge) {
        try {
            knowledge.stats();
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static DocumentSource source(int round) {
        return DocumentSource.of(
                "s",
                IntStream.range(0, DOCUMENTS)
                        .mapToObj(i ->
                                new Document("d" + i, "text/plain", "document " + i + " in round r" + round, Map.of()))
                        .toList());
    }
}
