package dev.pollux.job;

import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link Job}: state and events around a {@link Job.Work}. */
final class DefaultJob<R> implements Job<R>, JobContext {

    private final String name;
    private final Work<R> work;
    private final List<Consumer<JobEvent>> listeners = new CopyOnWriteArrayList<>();
    private final List<CancelAction> cancelActions = new CopyOnWriteArrayList<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private volatile boolean cancelled;
    private volatile @Nullable Thread runner;

    DefaultJob(String name, Work<R> work) {
        this.name = name;
        this.work = work;
    }

    @Override
    public R run() {
        if (!started.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "Job '" + name + "' has been run before; a job is one-shot, create a new one");
        }
        long begin = System.nanoTime();
        JobEvent.Outcome outcome = JobEvent.Outcome.FAILED;
        runner = Thread.currentThread();
        emit(new JobEvent.Started(name));
        try {
            checkCancelled();
            R result = work.run(this);
            outcome = JobEvent.Outcome.COMPLETED;
            return result;
        } catch (CancelledException e) {
            outcome = JobEvent.Outcome.CANCELLED;
            throw e;
        } catch (RuntimeException e) {
            if (Interrupts.isCauseOf(e)) {
                outcome = JobEvent.Outcome.CANCELLED;
                throw Interrupts.cancelled(e);
            }
            throw e;
        } finally {
            runner = null;
            emit(new JobEvent.Finished(name, outcome, Duration.ofNanos(System.nanoTime() - begin)));
        }
    }

    @Override
    public void cancel() {
        cancelled = true;
        cancelActions.forEach(CancelAction::run);
    }

    @Override
    public Job<R> onEvent(Consumer<JobEvent> listener) {
        listeners.add(listener);
        return this;
    }

    @Override
    public void progress(String stage, long done, long total, String unit) {
        emit(new JobEvent.Progress(name, stage, done, total < 0 ? OptionalLong.empty() : OptionalLong.of(total), unit));
    }

    @Override
    public void notice(String message) {
        emit(new JobEvent.Notice(name, message));
    }

    @Override
    public boolean isCancelled() {
        Thread running = runner; // also for those that help it
        return cancelled || running != null && running.isInterrupted();
    }

    @Override
    public <T> T cancellable(Runnable end, Supplier<T> doing) {
        CancelAction action = new CancelAction(end);
        cancelActions.add(action);
        try {
            if (cancelled) {
                action.run();
            }
            return doing.get();
        } finally {
            cancelActions.remove(action);
            action.close();
        }
    }

    private void emit(JobEvent event) {
        listeners.forEach(listener -> listener.accept(event));
    }
}
