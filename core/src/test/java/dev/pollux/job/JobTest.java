package dev.pollux.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobTest {

    private final List<JobEvent> events = new ArrayList<>();

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void writeFile() throws IOException {
        file = Files.writeString(folder.resolve("file"), "text");
    }

    @Test
    void runReturnsTheResultAndReportsInOrder() {
        Job<String> job = Job.<String>of("index", context -> {
                    context.progress("embed", 1, 3, "passages");
                    context.progress("embed", 2, -1, "passages");
                    context.notice("one file is empty");
                    return "done";
                })
                .onEvent(events::add);
        assertThat(job.run()).isEqualTo("done");
        assertThat(events.subList(0, 4))
                .containsExactly(
                        new JobEvent.Started("index"),
                        new JobEvent.Progress("index", "embed", 1, OptionalLong.of(3), "passages"),
                        new JobEvent.Progress("index", "embed", 2, OptionalLong.empty(), "passages"),
                        new JobEvent.Notice("index", "one file is empty"));
        assertThat(events).hasSize(5);
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.COMPLETED);
    }

    @Test
    void everyListenerHearsEveryEvent() {
        List<JobEvent> others = new ArrayList<>();
        Job.of("count", context -> 1).onEvent(events::add).onEvent(others::add).run();
        assertThat(others).isEqualTo(events).hasSize(2);
    }

    @Test
    void aJobRunsOnce() {
        Job<Integer> job = Job.of("count", context -> 1);
        job.run();
        assertThatThrownBy(job::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("Job 'count' has been run before; a job is one-shot, create a new one");
    }

    @Test
    void cancelBeforeRunDoesNoWork() {
        List<String> work = new ArrayList<>();
        Job<Boolean> job = Job.<Boolean>of("index", context -> work.add("done")).onEvent(events::add);
        job.cancel();
        job.cancel();
        assertThatThrownBy(job::run)
                .isInstanceOf(CancelledException.class)
                .hasMessage("The job was cancelled; nothing unfinished was published");
        assertThat(work).isEmpty();
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.CANCELLED);
    }

    @Test
    void cancelFromAnotherThreadStopsAtTheNextSafePoint() {
        List<Job<Integer>> self = new ArrayList<>();
        Job<Integer> job = Job.<Integer>of("index", context -> {
                    CompletableFuture.runAsync(() -> self.get(0).cancel()).join();
                    assertThat(context.isCancelled()).isTrue();
                    context.checkCancelled();
                    return 1;
                })
                .onEvent(events::add);
        self.add(job);
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.CANCELLED);
    }

    @Test
    void aFailureIsReportedAndThrownAsItIs() {
        RuntimeException failure = new IllegalArgumentException("no such file");
        Job<Integer> job = Job.<Integer>of("index", context -> {
                    throw failure;
                })
                .onEvent(events::add);
        assertThatThrownBy(job::run).isSameAs(failure);
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.FAILED);
    }

    @Test
    void aPartReportsAsTheWhole() {
        Job<Integer> job = Job.<Integer>of(
                        "merge",
                        context -> context.run(Job.of("hash", part -> {
                            part.progress("read", 1, -1, "bytes");
                            part.progress("read", 2, 2, "bytes");
                            part.notice("slow");
                            return 7;
                        })))
                .onEvent(events::add);
        assertThat(job.run()).isEqualTo(7);
        assertThat(events.subList(0, 4))
                .containsExactly(
                        new JobEvent.Started("merge"),
                        new JobEvent.Progress("merge", "read", 1, OptionalLong.empty(), "bytes"),
                        new JobEvent.Progress("merge", "read", 2, OptionalLong.of(2), "bytes"),
                        new JobEvent.Notice("merge", "slow"));
        assertThat(events).hasSize(5);
    }

    @Test
    void cancellingTheWholeCancelsAPart() {
        List<String> done = new ArrayList<>();
        Job<Integer> job = Job.of(
                "merge",
                context -> context.run(Job.of("hash", part -> {
                    part.progress("read", 1, 2, "bytes");
                    part.checkCancelled();
                    done.add("all");
                    return 7;
                })));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress) {
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(done).isEmpty();
    }

    @Test
    void aPartThatReportsNothingHearsOfItToo() {
        Job<Integer> part = Job.of("hash", context -> {
            context.checkCancelled();
            return 7;
        });
        List<Job<Integer>> whole = new ArrayList<>();
        whole.add(Job.of("merge", context -> {
            whole.get(0).cancel();
            return context.run(part);
        }));
        assertThatThrownBy(whole.get(0)::run).isInstanceOf(CancelledException.class);
    }

    @Test
    void cancellingEndsWorkThatDoesNotAsk() {
        List<String> done = new ArrayList<>();
        List<Job<String>> self = new ArrayList<>();
        self.add(Job.of("merge", context -> {
            assertThat(context.cancellable(() -> done.add("over"), () -> "first"))
                    .isEqualTo("first");
            return context.cancellable(() -> done.add("first"), () -> {
                CompletableFuture.runAsync(self.get(0)::cancel).join();
                self.get(0).cancel();
                assertThat(done).containsExactly("first");
                return context.withoutProgress().cancellable(() -> done.add("late"), () -> "second");
            });
        }));
        assertThat(self.get(0).run()).isEqualTo("second");
        assertThat(done).containsExactly("first", "late");
    }

    /** Else it would reach whatever is done next with the same means. */
    @Test
    void workIsNotOverBeforeItsEndIs() {
        CountDownLatch begun = new CountDownLatch(1);
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        List<Job<Integer>> self = new ArrayList<>();
        self.add(Job.of("merge", context -> {
            CompletableFuture<Void> cancelling = context.cancellable(
                    () -> {
                        begun.countDown();
                        pause();
                        order.add("end");
                    },
                    () -> {
                        CompletableFuture<Void> run = CompletableFuture.runAsync(self.get(0)::cancel);
                        await(begun);
                        return run;
                    });
            order.add("over");
            cancelling.join();
            return 1;
        }));
        self.get(0).run();
        assertThat(order).containsExactly("end", "over");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Long enough for the other thread to come first if it were let. */
    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aContextWithoutProgressTellsTheRest() {
        Job<Integer> job = Job.<Integer>of("merge", context -> {
                    JobContext quiet = context.withoutProgress();
                    quiet.progress("read", 1, 2, "bytes");
                    quiet.notice("slow");
                    assertThat(quiet.isCancelled()).isFalse();
                    return 1;
                })
                .onEvent(events::add);
        job.run();
        assertThat(events).hasSize(3).contains(new JobEvent.Notice("merge", "slow"));
    }

    private void isCancelled(Job<?> job) {
        assertThatThrownBy(job.onEvent(events::add)::run).isInstanceOf(CancelledException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.CANCELLED);
    }

    @Test
    void anInterruptBeforeRunDoesNoWork() {
        List<String> work = new ArrayList<>();
        Thread.currentThread().interrupt();
        isCancelled(Job.of("index", context -> work.add("done")));
        assertThat(work).isEmpty();
    }

    @Test
    void anInterruptOfTheThreadThatRunsItIsSeenByThoseThatHelp() {
        isCancelled(Job.of("index", context -> {
            Thread.currentThread().interrupt();
            boolean seen = CompletableFuture.supplyAsync(context::isCancelled).join();
            context.checkCancelled();
            return seen;
        }));
        isCancelled(Job.of("index", context -> {
            Thread.currentThread().interrupt();
            return context.run(Job.of("part", part -> 1));
        }));
    }

    @Test
    void whatFailsBecauseOfAnInterruptIsCancelled() {
        isCancelled(Job.of("read", context -> {
            Thread.currentThread().interrupt();
            try (FileChannel channel = FileChannel.open(file)) {
                return channel.read(ByteBuffer.allocate(1));
            } catch (IOException e) {
                throw new StorageException("Cannot read " + file, e);
            }
        }));
        isCancelled(Job.of("wait", context -> {
            Thread.currentThread().interrupt();
            try {
                Thread.sleep(1000);
                return 1;
            } catch (InterruptedException e) { // which clears the interrupt
                throw new IllegalStateException(e);
            }
        }));
    }

    @Test
    void anotherFailureOfAnInterruptedThreadStaysWhatItIs() {
        Job<Integer> job = Job.<Integer>of("read", context -> {
                    Thread.currentThread().interrupt();
                    throw new StorageException("Cannot read a", new IOException("no such file"));
                })
                .onEvent(events::add);
        assertThatThrownBy(job::run).isInstanceOf(StorageException.class).hasMessage("Cannot read a");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(outcome()).isEqualTo(JobEvent.Outcome.FAILED);
    }

    @Test
    void theContextOfAPlainCallIsCancelledByAnInterruptAlone() {
        JobContext.NONE.progress("embed", 1, 1, "passages");
        JobContext.NONE.notice("nothing");
        JobContext.NONE.checkCancelled();
        assertThat(JobContext.NONE.isCancelled()).isFalse();
        assertThat(JobContext.NONE.cancellable(() -> {}, () -> 1)).isEqualTo(1);
        Thread.currentThread().interrupt();
        assertThat(JobContext.NONE.isCancelled()).isTrue();
        assertThat(Thread.interrupted()).isTrue();
    }

    private JobEvent.Outcome outcome() {
        JobEvent last = events.get(events.size() - 1);
        assertThat(last).isInstanceOf(JobEvent.Finished.class);
        assertThat(((JobEvent.Finished) last).elapsed()).isGreaterThanOrEqualTo(Duration.ZERO);
        return ((JobEvent.Finished) last).outcome();
    }
}
