package dev.pollux.rag.knowledge;

import dev.pollux.CancelledException;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.DerivedFile.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.lucene.index.LeafReaderContext;
import org.jspecify.annotations.Nullable;

/** Makes the derived files of one snapshot that are missing. <em>One thread at a time.</em> */
final class IndexBuild {

    /*
     * The vector file of a segment is a function of the segment, its graph is not: nodes are inserted by several threads. Files
     * are written to their final names first and named by a commit afterwards, so that a commit never names a file that is not
     * whole; a crash in between leaves a file that no commit names, and the next build deletes it. A file that a commit names is
     * deleted only after a newer commit that does not name it. Another process that still reads the older commit keeps its
     * mapping; if it opens that commit later, it reads the vectors from the index.
     */

    private static final String CANCELLED = "The build of the index was cancelled; nothing unfinished was published";

    private final Store store;
    private final int threads;
    private final BooleanSupplier cancelled;
    private final JobContext job;
    private final List<DerivedFile> made = new ArrayList<>();
    private volatile @Nullable ForkJoinPool running;

    /**
     * @param threads that build a graph
     * @param cancelled asked often
     */
    IndexBuild(Store store, int threads, BooleanSupplier cancelled, JobContext job) {
        this.store = store;
        this.threads = threads;
        this.cancelled = cancelled;
        this.job = job;
    }

    /**
     * Builds and prepares the next commit, which the caller makes.
     *
     * @param anew whether to make files again that are there
     * @return the files made
     */
    List<DerivedFile> run(boolean anew) {
        store.read(snapshot -> {
            Set<String> segments = new HashSet<>();
            int done = 0;
            for (LeafReaderContext leaf : snapshot.reader().leaves()) {
                segments.add(snapshot.vectors(leaf).id());
                segment(snapshot, leaf, anew);
                job.progress("index", ++done, snapshot.reader().leaves().size(), "segments");
            }
            List<DerivedFile> gone = store.derived().stream()
                    .filter(file -> !segments.contains(file.segment()) || anew && !made.contains(file))
                    .toList();
            store.derive(made, gone);
            return snapshot;
        });
        return List.copyOf(made);
    }

    private void segment(Snapshot snapshot, LeafReaderContext leaf, boolean anew) throws IOException {
        SegmentVectors vectors = snapshot.vectors(leaf);
        IndexSettings settings = store.settings();
        int rows = vectors.rows().rows();
        if (!settings.isMapped(rows)) {
            return;
        }
        VectorFile mapped = vectors.rows() instanceof VectorFile file && !anew ? file : null;
        if (mapped == null) {
            mapped = vectorFile(leaf, vectors.id());
        }
        boolean missing = anew || !vectors.hasGraph();
        if (!missing || !settings.hasGraph(rows)) {
            return;
        }
        if (GraphBuild.fits(rows, Runtime.getRuntime().maxMemory())) {
            graph(mapped, vectors.id());
        } else {
            job.notice("a graph of " + rows
                    + " vectors needs more memory than this JVM has; raise -Xmx and build the index"
                    + " again, or searches compare all vectors");
        }
    }

    private VectorFile vectorFile(LeafReaderContext leaf, String segment) throws IOException {
        checkRunning();
        IndexSettings settings = store.settings();
        VectorRows rows = new LuceneRows(leaf.reader(), LuceneRows.docs(leaf.reader()), settings.dimension());
        Path target = path(Kind.VECTORS, segment);
        DerivedFile file = VectorFile.write(target, segment, rows, settings.codes());
        made.add(file);
        return VectorFile.open(target, file, rows.rows(), rows.dimension());
    }

    private void graph(VectorFile vectors, String segment) throws IOException {
        ForkJoinPool pool = new ForkJoinPool(threads, IndexBuild::worker, null, false);
        running = pool;
        checkRunning(); // after the pool is known to interrupt()
        try (GraphBuild build = GraphBuild.of(vectors, pool, this::isCancelled, this::nodes)) {
            made.add(GraphFile.write(path(Kind.GRAPH, segment), segment, build, vectors));
        } catch (CancellationException e) {
            throw cancelled(e);
        } catch (RuntimeException e) {
            throw isCancelled() ? cancelled(e) : e;
        } finally {
            running = null;
            pool.shutdownNow();
        }
    }

    /** Ends the steps of a graph that do not ask whether they are cancelled; {@code cancelled} must be true already. */
    void interrupt() {
        ForkJoinPool pool = running;
        if (pool != null) {
            pool.shutdownNow();
        }
    }

    private void nodes(int done, int all) {
        job.progress("graph", done, all, "vectors");
    }

    private static ForkJoinWorkerThread worker(ForkJoinPool pool) {
        ForkJoinWorkerThread thread = ForkJoinPool.defaultForkJoinWorkerThreadFactory.newThread(pool);
        thread.setName("pollux-knowledge-graph-" + thread.getPoolIndex());
        return thread;
    }

    private boolean isCancelled() {
        return cancelled.getAsBoolean() || job.isCancelled();
    }

    private void checkRunning() {
        if (isCancelled()) {
            throw new CancelledException(CANCELLED);
        }
    }

    private static CancelledException cancelled(Throwable cause) {
        return new CancelledException(CANCELLED, cause);
    }

    private Path path(Kind kind, String segment) {
        return store.settings().folder().resolve(DerivedFiles.FOLDER).resolve(kind.file(segment));
    }

    /** Deletes files that the newest commit does not name. */
    static void deleteUnnamed(Path knowledge, Collection<DerivedFile> named) {
        Path folder = knowledge.resolve(DerivedFiles.FOLDER);
        if (!Files.isDirectory(folder)) {
            return;
        }
        Set<String> names = named.stream().map(DerivedFile::name).collect(Collectors.toSet());
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (!names.contains(file.getFileName().toString())) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            return; // it is in use on a system that then refuses; the next build tries again
        }
    }
}
