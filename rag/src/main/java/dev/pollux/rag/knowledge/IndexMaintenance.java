package dev.pollux.rag.knowledge;

import dev.pollux.CancelledException;
import dev.pollux.internal.Interrupts;
import dev.pollux.job.JobContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.lucene.index.LeafReaderContext;
import org.jspecify.annotations.Nullable;

/** Keeps the derived files of a store complete, in the background or when asked. <em>Thread-safe.</em> */
final class IndexMaintenance {

    private static final long IDLE_SECONDS = 10;
    private static final int ATTEMPTS = 100;
    private static final long PAUSE_MILLIS = 100;

    private final Store store;
    private final KnowledgeOptions options;
    private final ReentrantLock writing; // of the knowledge base
    private final ReentrantLock building = new ReentrantLock();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Executor executor;
    private final @Nullable ThreadPoolExecutor own;
    private volatile boolean closed;
    private volatile @Nullable IndexBuild current;

    IndexMaintenance(Store store, KnowledgeOptions options, ReentrantLock writing) {
        this.store = store;
        this.options = options;
        this.writing = writing;
        this.own = options.indexExecutor().isPresent() ? null : thread();
        this.executor = own == null ? options.indexExecutor().orElseThrow() : own;
    }

    private static ThreadPoolExecutor thread() {
        ThreadPoolExecutor thread =
                new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread made = new Thread(work, "pollux-knowledge-index");
                    made.setDaemon(true);
                    return made;
                });
        thread.allowCoreThreadTimeOut(true);
        return thread;
    }

    /** Builds what is missing in the background, if the options say so. */
    void changed() {
        if (options.backgroundIndex() && !closed && isIncomplete() && scheduled.compareAndSet(false, true)) {
            try {
                executor.execute(this::background);
            } catch (RejectedExecutionException e) {
                scheduled.set(false); // the host's executor is full or shut down; the next change tries again
            }
        }
    }

    private boolean isIncomplete() {
        IndexSettings settings = store.settings();
        return store.read(snapshot -> {
            for (LeafReaderContext leaf : snapshot.reader().leaves()) {
                SegmentVectors vectors = snapshot.vectors(leaf);
                int rows = vectors.rows().rows();
                boolean whole = !settings.isMapped(rows)
                        || vectors.isMapped() && (vectors.hasGraph() || !settings.hasGraph(rows));
                if (!whole) {
                    return true;
                }
            }
            return false;
        });
    }

    private void background() {
        scheduled.set(false);
        building.lock();
        try {
            built(false, JobContext.NONE);
            adoptIfFree();
        } catch (RuntimeException e) {
            return; // closed, cancelled or without space: searches go on without the files, and the next change tries
            // again
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // by the host's executor
        } finally {
            building.unlock();
        }
    }

    /**
     * Commits what was built, unless another thread writes: then its next commit names the files. A writer that waits for this
     * build holds the lock that a commit needs, so this waits only while none does.
     */
    private void adoptIfFree() throws InterruptedException {
        for (int attempt = 0; attempt < ATTEMPTS && !building.hasQueuedThreads() && !closed; attempt++) {
            if (writing.tryLock(PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                try {
                    adopt();
                    return;
                } finally {
                    writing.unlock();
                }
            }
        }
    }

    /**
     * Builds and commits what is missing; the caller holds the lock of writing.
     *
     * @param anew whether to make files again that are there
     */
    IndexReport build(boolean anew, JobContext job) {
        long begin = System.nanoTime();
        Interrupts.lock(building);
        try {
            store.commitDerived(); // what a build in the background has left
            List<DerivedFile> made = built(anew, job);
            adopt();
            int graphs = (int) made.stream()
                    .filter(file -> file.name().equals(DerivedFile.Kind.GRAPH.file(file.segment())))
                    .count();
            return new IndexReport(
                    store.read(snapshot -> snapshot.reader().leaves().size()),
                    made.size() - graphs,
                    graphs,
                    made.stream().mapToLong(DerivedFile::length).sum(),
                    Duration.ofNanos(System.nanoTime() - begin));
        } finally {
            building.unlock();
        }
    }

    private List<DerivedFile> built(boolean anew, JobContext job) {
        IndexBuild build = new IndexBuild(store, options.indexThreads(), () -> closed, job);
        current = build;
        try {
            return job.cancellable(build::interrupt, () -> build.run(anew));
        } finally {
            current = null;
        }
    }

    private void adopt() {
        if (closed) {
            throw new CancelledException("The knowledge base is closed");
        }
        store.commitDerived();
        IndexBuild.deleteUnnamed(store.settings().folder(), store.derived());
    }

    /** Ends builds and the thread. */
    void close() {
        closed = true;
        IndexBuild build = current;
        if (build != null) {
            build.interrupt();
        }
        if (own != null) {
            own.shutdown();
        }
    }

    /** Waits until no build runs. */
    void await() {
        building.lock();
        try {
            current = null;
        } finally {
            building.unlock();
        }
    }
}
