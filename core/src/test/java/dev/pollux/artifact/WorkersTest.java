package dev.pollux.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.job.JobContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of a run's threads when one fails, or the waiting one is interrupted. */
@Timeout(20)
class WorkersTest {

    /** Ends when it is told to, as a merge of a tensor does. */
    private static boolean untilStopped(Workers workers) throws InterruptedException {
        while (!workers.isStopped()) {
            Thread.sleep(Duration.ofMillis(1).toMillis());
        }
        throw new CancelledException("The merge was cancelled");
    }

    @Test
    void aTaskThatFailsStopsTheOthersAndIsTheOneThatIsReported() {
        AtomicBoolean ended = new AtomicBoolean();
        try (Workers workers = Workers.start("merge", 2, JobContext.NONE)) {
            Future<Boolean> waiting = workers.submit(() -> {
                try {
                    return untilStopped(workers);
                } finally {
                    ended.set(true);
                }
            });
            Future<Boolean> failing = workers.submit(() -> {
                throw new StorageException("Cannot write: is the disk full?");
            });
            for (Future<Boolean> task : List.of(waiting, failing)) {
                assertThatThrownBy(() -> workers.await(task, () -> {}))
                        .isInstanceOf(StorageException.class)
                        .hasMessage("Cannot write: is the disk full?");
            }
        }
        assertThat(ended).isTrue();
    }

    @Test
    void anInterruptEndsTheRunAndStaysSet() throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        AtomicBoolean interrupted = new AtomicBoolean();
        AtomicBoolean cancelled = new AtomicBoolean();
        Thread waiting = new Thread(() -> {
            try (Workers workers = Workers.start("merge", 1, JobContext.NONE)) {
                workers.await(workers.submit(() -> untilStopped(workers)), started::countDown);
            } catch (CancelledException e) {
                cancelled.set(e.getMessage().contains("nothing was published"));
                interrupted.set(Thread.currentThread().isInterrupted());
            }
        });
        waiting.start();
        started.await();
        waiting.interrupt();
        waiting.join();
        assertThat(cancelled).isTrue();
        assertThat(interrupted).isTrue();
    }
}
