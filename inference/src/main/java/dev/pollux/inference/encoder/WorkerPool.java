package dev.pollux.inference.encoder;

import dev.pollux.CancelledException;
import dev.pollux.inference.internal.NativeRuntime;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The worker threads of one embedder or reranker, and its calls in progress.
 *
 * <p>The calling thread takes part in the work. Up to {@code workers − 1} daemon threads help it and end after an idle
 * period. Closing cancels the calls in progress and waits for them. <em>Thread-safe; a {@link Call} is confined to its
 * caller, and helpers access it only through {@link Call#each}.</em>
 */
final class WorkerPool {

    private static final long IDLE_SECONDS = 10;

    private final String owner;
    private final String done;
    private final int helpers;
    private final @Nullable ThreadPoolExecutor pool;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Set<Call> calls = new HashSet<>();
    private boolean closed;

    /**
     * A pool without threads yet.
     *
     * @param owner the owner's name for messages, such as {@code embedder all-minilm}
     * @param done a participle for messages, such as {@code embedded}
     */
    WorkerPool(String owner, String done, int workers) {
        this.owner = owner;
        this.done = done;
        this.helpers = workers - 1;
        this.pool = helpers == 0 ? null : pool(helpers);
    }

    private static ThreadPoolExecutor pool(int size) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                size, size, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, "pollux-embed-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /**
     * Begins a call; close it when it is over.
     *
     * @throws IllegalStateException after {@link #close()}
     * @throws CancelledException if the thread is interrupted
     */
    Call begin() {
        if (Thread.currentThread().isInterrupted()) {
            throw interrupted();
        }
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("The " + owner + " is closed; open it again");
            }
            Call call = new Call();
            calls.add(call);
            return call;
        } finally {
            lock.unlock();
        }
    }

    /** Cancels the calls in progress and waits for their end. Returns false if already closed. */
    boolean close() {
        lock.lock();
        try {
            boolean first = !closed;
            closed = true;
            calls.forEach(call -> call.cancel("The " + owner + " was closed before the texts were " + done));
            while (!calls.isEmpty()) {
                changed.awaitUninterruptibly();
            }
            if (pool != null) {
                pool.shutdown();
            }
            return first;
        } finally {
            lock.unlock();
        }
    }

    /** The exception for an interrupted caller. */
    CancelledException interrupted() {
        return new CancelledException("The thread was interrupted before the texts were " + done);
    }

    /** One piece of a call's work. */
    @FunctionalInterface
    interface Task {
        void run(int index);
    }

    /** The work of one caller. */
    final class Call implements AutoCloseable {

        private final Set<NativeRuntime.RunGuard> runs = new HashSet<>();
        private @Nullable RuntimeException failure;
        private @Nullable Error error;
        private int active;

        private Call() {}

        /**
         * Runs {@code task} for every index below {@code count} on this thread and on helpers. Tasks start in index order.
         *
         * @throws CancelledException if the thread was interrupted (it stays so) or the pool was closed
         */
        void each(int count, Task task) {
            AtomicInteger next = new AtomicInteger();
            Runnable loop = () -> {
                for (int i = next.getAndIncrement(); i < count && !failed(); i = next.getAndIncrement()) {
                    if (Thread.currentThread().isInterrupted()) {
                        throw interrupted();
                    }
                    task.run(i);
                }
            };
            if (pool != null) {
                for (int i = 0; i < Math.min(helpers, count - 1); i++) {
                    pool.execute(() -> help(loop, next, count));
                }
            }
            work(loop);
            next.set(count); // a helper that has not begun finds nothing to do
            awaitHelpers();
            rethrow();
        }

        private void help(Runnable loop, AtomicInteger next, int count) {
            lock.lock();
            try {
                if (next.get() >= count) {
                    return;
                }
                active++;
            } finally {
                lock.unlock();
            }
            try {
                work(loop);
            } finally {
                lock.lock();
                try {
                    active--;
                    changed.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        }

        private void work(Runnable loop) {
            try {
                loop.run();
            } catch (RuntimeException e) {
                fail(e);
            } catch (Error e) {
                lock.lock();
                try {
                    error = e;
                } finally {
                    lock.unlock();
                }
                fail(new IllegalStateException(e));
            }
        }

        private void awaitHelpers() {
            boolean interrupted = false;
            lock.lock();
            try {
                while (active > 0) {
                    try {
                        changed.await();
                    } catch (InterruptedException e) {
                        interrupted = true;
                        fail(interrupted());
                    }
                }
            } finally {
                lock.unlock();
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        private void cancel(String why) {
            fail(new CancelledException(why));
        }

        /** Keeps the first failure and ends the runs in progress. */
        private void fail(RuntimeException e) {
            lock.lock();
            try {
                if (failure == null) {
                    failure = e;
                }
                runs.forEach(NativeRuntime.RunGuard::terminate);
            } finally {
                lock.unlock();
            }
        }

        private boolean failed() {
            lock.lock();
            try {
                return failure != null;
            } finally {
                lock.unlock();
            }
        }

        private void rethrow() {
            lock.lock();
            try {
                if (error != null) {
                    throw error;
                }
                if (failure != null) {
                    throw failure;
                }
            } finally {
                lock.unlock();
            }
        }

        /** Registers a run of this call, so that it is terminated when the call fails. */
        NativeRuntime.RunGuard beginRun() {
            NativeRuntime.RunGuard run = NativeRuntime.begin();
            lock.lock();
            try {
                runs.add(run);
                if (failure != null) {
                    run.terminate();
                }
                return run;
            } finally {
                lock.unlock();
            }
        }

        void endRun(NativeRuntime.RunGuard run) {
            lock.lock();
            try {
                runs.remove(run);
            } finally {
                lock.unlock();
            }
            run.close();
        }

        @Override
        public void close() {
            lock.lock();
            try {
                calls.remove(this);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
