package dev.pollux.rag.knowledge;

import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.LockObtainFailedException;
import org.apache.lucene.util.IOUtils;
import org.jspecify.annotations.Nullable;

/**
 * The files of a knowledge base: one Lucene index in {@code index/}. Readers see only commits. <em>One thread at a time may
 * write; any number may read.</em>
 */
final class Store implements AutoCloseable {

    /*
     * One index, one commit. Passages, records of documents, records of sources and the commit data (embedder, chunking, scale)
     * are all in the Lucene index, so a Lucene commit is the only transaction and no second file can disagree with it.
     *
     *   replace, delete   buffered by the writer, invisible to readers
     *   commit            1. commit data   2. Lucene commit: durable   3. new snapshot: visible
     *   close             rollback of everything after the last commit
     *
     * Invariants:
     *   * A document is one block of Lucene documents and is replaced as one, so no commit contains a part of it.
     *   * The manifest describes the newest commit. It is deleted before the first change and written again when the ingest
     *     or deletion has ended. After a crash it is absent, never wrong.
     *   * Lucene's lock allows one writer for all processes. Readers need no lock: a commit never changes files of another.
     *   * All writing runs on one WriterThread. An interrupt closes the channel that a thread uses, and Lucene then gives up
     *     its writer; callers may be interrupted, the writer thread is not.
     */

    private final Path folder;
    private final StoreFolder files;
    private final EmbedderInfo embedder;
    private final IndexSettings settings;
    private final Directory directory;
    private final @Nullable IndexWriter writer;
    private final Snapshots snapshots;
    private final WriterThread writing;
    private final OpenHandle handle;
    private StoredChunking chunking = StoredChunking.NONE; // of the last ingest
    private Optional<MeasuredScale> scale = Optional.empty(); // for the next commit
    private final Map<String, DerivedFile> derived = new ConcurrentHashMap<>(); // by name, for the next commit
    private volatile boolean derivedChanged;
    private boolean described = true; // whether the manifest may exist
    private volatile boolean stopped;
    private boolean closed;

    private Store(IndexSettings settings, EmbedderInfo embedder, Directory directory, boolean writable)
            throws IOException {
        this.writing = new WriterThread("pollux-knowledge");
        this.settings = settings;
        this.folder = settings.folder();
        this.files = new StoreFolder(folder);
        this.embedder = embedder;
        this.directory = directory;
        boolean exists = DirectoryReader.indexExists(directory);
        if (exists) {
            Map<String, String> data =
                    LuceneCompatibility.newestCommit(folder, directory).getUserData();
            CommitData.check(data, folder, embedder);
            this.chunking = StoredChunking.of(data);
            this.scale = MeasuredScale.of(data);
            DerivedFiles.of(folder, data).all().forEach(file -> derived.put(file.name(), file));
        }
        this.writer = writable ? writer() : null;
        try {
            if (writer != null && !exists) {
                writer.setLiveCommitData(CommitData.of(embedder, chunking, scale, derived.values())
                        .entrySet());
                writer.commit();
            }
            this.snapshots = new Snapshots(directory, settings);
        } catch (IOException | RuntimeException | Error e) {
            if (writer != null) {
                writer.rollback();
            }
            writing.close();
            throw e;
        }
        this.handle = OpenHandle.of("KnowledgeBase " + folder);
    }

    static Store open(IndexSettings settings, EmbedderInfo embedder, boolean writable) {
        if (embedder.dimension() > IndexLayout.MAX_DIMENSION) {
            throw new IllegalArgumentException("Embedder " + embedder.name() + " has dimension " + embedder.dimension()
                    + "; a knowledge base holds vectors of at most " + IndexLayout.MAX_DIMENSION);
        }
        Interrupts.check();
        StoreFolder files = new StoreFolder(settings.folder());
        try {
            files.check(writable);
            Files.createDirectories(files.index());
            Directory directory = FSDirectory.open(files.index());
            try (WriterThread opening = new WriterThread("pollux-knowledge")) {
                return opening.call(() -> new Store(settings, embedder, directory, writable));
            } catch (IOException | RuntimeException | Error e) {
                IOUtils.closeWhileHandlingException(directory);
                throw e;
            }
        } catch (IOException e) {
            throw files.failure("opened", e);
        }
    }

    /** The embedder of a knowledge base, from its commit data. */
    static EmbedderInfo embedder(Path folder) {
        Interrupts.check();
        StoreFolder files = new StoreFolder(folder);
        try (WriterThread opening = new WriterThread("pollux-knowledge")) {
            files.check(false);
            Map<String, String> data = opening.call(() -> {
                try (Directory directory = FSDirectory.open(files.index())) {
                    return LuceneCompatibility.newestCommit(folder, directory).getUserData();
                }
            });
            return new EmbedderInfo(
                    data.getOrDefault(IndexLayout.COMMIT_EMBEDDER, ""),
                    data.getOrDefault(IndexLayout.COMMIT_FINGERPRINT, ""),
                    Integer.parseInt(data.getOrDefault(IndexLayout.COMMIT_DIMENSION, "1")),
                    1);
        } catch (IndexNotFoundException e) {
            throw files.none(e);
        } catch (IOException e) {
            throw files.failure("opened", e);
        }
    }

    private IndexWriter writer() throws IOException {
        IndexWriterConfig config = new IndexWriterConfig()
                .setSimilarity(Analysis.SIMILARITY)
                .setMergeScheduler(new SerialMergeScheduler())
                .setCommitOnClose(false);
        try {
            return new IndexWriter(directory, config);
        } catch (LockObtainFailedException e) {
            throw new StorageException(
                    "The knowledge base in " + folder
                            + " is in use by another process or another KnowledgeBase of this one, and only one may"
                            + " write; close that one, or open this one read-only",
                    e);
        }
    }

    StoreFolder files() {
        return files;
    }

    /** Reads the newest commit. */
    <T> T read(Reading<T> reading) {
        checkOpen();
        Interrupts.check();
        Snapshot snapshot = null;
        try {
            snapshot = snapshots.acquire();
            return reading.read(snapshot);
        } catch (AlreadyClosedException e) {
            throw new IllegalStateException(files.closed(), e);
        } catch (IOException e) {
            throw files.failure("read", e);
        } finally {
            release(snapshot);
        }
    }

    /** A function of one snapshot. */
    @FunctionalInterface
    interface Reading<T> {
        T read(Snapshot snapshot) throws IOException;
    }

    private void release(@Nullable Snapshot snapshot) {
        if (snapshot != null) {
            try {
                snapshots.release(snapshot);
            } catch (IOException e) {
                throw files.failure("read", e);
            }
        }
    }

    /** Replaces the block with this key; visible after {@link #commit}. */
    void replace(String key, List<Document> block) {
        change(w -> w.updateDocuments(new Term(IndexLayout.KEY, key), block));
    }

    /** Replaces the version of the file of the document with this key; visible after {@link #commit}. */
    void stamp(String key, KnownFiles.Stamp file) {
        Field[] fields = PassageWriter.stamp(file).toArray(Field[]::new);
        if (fields.length > 0) {
            change(w -> w.updateDocValues(new Term(IndexLayout.KEY, key), fields));
        }
    }

    /** Deletes the block with this key; visible after {@link #commit}. */
    void delete(String key) {
        change(w -> w.deleteDocuments(new Term(IndexLayout.KEY, key)));
    }

    /** Deletes a source and all of its documents, uncommitted ones too; visible after {@link #commit}. */
    void deleteSource(String key) {
        change(w -> w.deleteDocuments(new Term(IndexLayout.SOURCE, key), new Term(IndexLayout.KEY, key)));
    }

    /** Sets the chunking for the next commits. */
    void cutBy(StoredChunking used) {
        chunking = used;
    }

    StoredChunking chunking() {
        return chunking;
    }

    /** Stores a scale in the next commit and all later ones. */
    void scale(MeasuredScale measured) {
        scale = Optional.of(measured);
    }

    /** Writes the manifest of the newest commit if it is missing. */
    void describe() {
        ArtifactManifest manifest = described && ArtifactManifest.isIn(folder)
                ? null
                : read(snapshot -> KnowledgeManifest.of(snapshot.reader()));
        if (manifest != null) {
            write(w -> manifest.write(folder));
        }
        described = true;
    }

    /** Makes everything written since the last commit durable, then visible. */
    void commit() {
        change(this::commit);
    }

    private void commit(IndexWriter w) throws IOException {
        derivedChanged = false;
        w.setLiveCommitData(
                CommitData.of(embedder, chunking, scale, derived.values()).entrySet());
        w.commit();
        snapshots.maybeRefreshBlocking();
    }

    /** Names derived files in the next commit, and forgets others. */
    void derive(Collection<DerivedFile> added, Collection<DerivedFile> removed) {
        removed.forEach(file -> derived.remove(file.name(), file));
        added.forEach(file -> derived.put(file.name(), file));
        derivedChanged = derivedChanged || !added.isEmpty() || !removed.isEmpty();
    }

    /** The derived files of the next commit. */
    Collection<DerivedFile> derived() {
        return List.copyOf(derived.values());
    }

    /** Commits if derived files changed since the last commit. Documents do not change, so the manifest stays. */
    void commitDerived() {
        if (derivedChanged) {
            write(this::commit);
        }
    }

    /** Merges all segments into one without deleted documents; visible after {@link #commit}. */
    void merge() {
        change(w -> w.forceMerge(1));
    }

    IndexSettings settings() {
        return settings;
    }

    /** Makes the newest commit of another process visible. */
    boolean refresh() {
        checkOpen();
        Interrupts.check();
        try {
            return writing.call(() -> {
                Snapshot before = snapshots.acquire();
                snapshots.release(before);
                snapshots.maybeRefreshBlocking();
                Snapshot after = snapshots.acquire();
                snapshots.release(after);
                return before != after;
            });
        } catch (AlreadyClosedException e) {
            throw new IllegalStateException(files.closed(), e);
        } catch (IOException e) {
            throw files.failure("read", e);
        }
    }

    /** Deletes the manifest before a change, which would make it wrong. */
    private void change(Writing work) {
        write(w -> {
            if (described) {
                ArtifactManifest.delete(folder);
                described = false;
            }
            work.write(w);
        });
    }

    private void write(Writing work) {
        IndexWriter open = checkWritable();
        Interrupts.check();
        try {
            writing.call(() -> {
                work.write(open);
                return work;
            });
        } catch (AlreadyClosedException e) {
            throw new StorageException(
                    "The knowledge base in " + folder
                            + " was closed by an earlier failure; everything committed is safe, open it again",
                    e);
        } catch (IOException e) {
            throw files.failure("written", e);
        }
    }

    /** An action on the writer. */
    @FunctionalInterface
    private interface Writing {
        void write(IndexWriter writer) throws IOException;
    }

    IndexWriter checkWritable() {
        checkOpen();
        if (writer == null) {
            throw new IllegalStateException("The knowledge base in " + folder
                    + " is open read-only; open it with KnowledgeBase.open to change it");
        }
        return writer;
    }

    void checkOpen() {
        if (stopped) {
            throw new IllegalStateException(files.closed());
        }
    }

    /** Rejects new work; running work ends at its next check. */
    void stop() {
        stopped = true;
    }

    /** Waits for readers, discards uncommitted changes and releases the lock. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        stopped = true;
        closed = true;
        handle.close();
        try (directory;
                writing) {
            writing.call(() -> {
                snapshots.close();
                if (writer != null) {
                    writer.rollback();
                }
                return closed;
            });
        } catch (IOException e) {
            throw files.failure("closed", e);
        }
    }
}
