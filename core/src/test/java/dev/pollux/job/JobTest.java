package dev.pollux.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class JobTest {

    private final List<JobEvent> events = new ArrayList<>();

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
    void theContextOfAPlainCallIsNeverCancelled() {
        JobContext.NONE.progress("embed", 1, 1, "passages");
        JobContext.NONE.notice("nothing");
        JobContext.NONE.checkCancelled();
        assertThat(JobContext.NONE.isCancelled()).isFalse();
    }

    private JobEvent.Outcome outcome() {
        JobEvent last = events.get(events.size() - 1);
        assertThat(last).isInstanceOf(JobEvent.Finished.class);
        assertThat(((JobEvent.Finished) last).elapsed()).isGreaterThanOrEqualTo(Duration.ZERO);
        return ((JobEvent.Finished) last).outcome();
    }
}
