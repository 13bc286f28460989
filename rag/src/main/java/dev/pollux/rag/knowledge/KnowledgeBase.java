package dev.pollux.rag.knowledge;

import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.text.Languages;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A set of documents, stored in a folder and searched by meaning and by words.
 *
 * <pre>{@code
 * try (KnowledgeBase knowledge = KnowledgeBase.open(Path.of("kb"), embedder)) {
 *     knowledge.ingest(DocumentSource.folder(Path.of("docs"))).run();
 *     List<Hit> hits = knowledge.retriever().retrieve(Query.of("How do I merge two models?"));
 * }
 * }</pre>
 *
 * <p>Committed data survives a crash of the process. An interrupted ingest resumes after its last commit. Each query sees
 * exactly one commit, also while an ingest runs. One process at a time may write; other processes open the knowledge base
 * read-only.
 *
 * <p><em>Thread-safe.</em>
 */
public final class KnowledgeBase implements AutoCloseable {

    /** The version of the file format that is written. The previous version can be read; any other is refused. */
    public static final int FORMAT = IndexLayout.FORMAT;

    private final Store store;
    private final Embedder embedder;
    private final KnowledgeOptions options;
    private final KnowledgeScale scale;
    private final ReentrantLock writing = new ReentrantLock();

    private KnowledgeBase(Store store, Embedder embedder, KnowledgeOptions options) {
        this.store = store;
        this.embedder = embedder;
        this.options = options;
        this.scale = new KnowledgeScale(store, embedder);
    }

    /** Opens or creates a knowledge base with {@link KnowledgeOptions#DEFAULTS}. */
    public static KnowledgeBase open(Path folder, Embedder embedder) {
        return open(folder, embedder, KnowledgeOptions.DEFAULTS);
    }

    /**
     * Opens or creates a knowledge base for reading and writing. The folder holds an {@link
     * dev.pollux.artifact.ArtifactManifest}, which is absent during a change and after an interrupted one.
     *
     * @param folder a folder for this knowledge base alone; created if absent
     * @param embedder the embedder that the knowledge base was created with; the caller closes it after the knowledge base
     * @throws dev.pollux.StorageException if it was created with another embedder, another process is writing to it, its
     *     format or Lucene version is not supported, it cannot be read, or the folder contains other files
     * @throws dev.pollux.PolluxException if Lucene on the class path is older than 9.5 or needs a newer Java
     * @throws dev.pollux.MalformedFileException if it is damaged
     */
    public static KnowledgeBase open(Path folder, Embedder embedder, KnowledgeOptions options) {
        LuceneCompatibility.check();
        Store store = Store.open(folder.toAbsolutePath(), embedder.info(), true);
        try {
            store.describe();
            return new KnowledgeBase(store, embedder, options);
        } catch (RuntimeException | Error e) {
            store.close();
            throw e;
        }
    }

    /**
     * Opens a knowledge base for retrieval only, while another process may write to it; {@link #refresh()} makes its later
     * commits visible.
     *
     * @throws dev.pollux.StorageException as {@link #open}, and if there is no knowledge base in {@code folder}
     */
    public static KnowledgeBase openReadOnly(Path folder, Embedder embedder) {
        LuceneCompatibility.check();
        return new KnowledgeBase(
                Store.open(folder.toAbsolutePath(), embedder.info(), false), embedder, KnowledgeOptions.DEFAULTS);
    }

    /**
     * Opens an existing knowledge base without its embedder, for listing, deleting and search by words. Methods that need
     * the vector of a text throw {@link IllegalStateException}.
     *
     * @throws dev.pollux.StorageException as {@link #open(Path, Embedder)}, and if there is no knowledge base in
     *     {@code folder}
     */
    public static KnowledgeBase open(Path folder) {
        LuceneCompatibility.check();
        Path absolute = folder.toAbsolutePath();
        return open(absolute, new AbsentEmbedder(Store.embedder(absolute)));
    }

    /** As {@link #open(Path)}, but read-only: another process may write to the knowledge base. */
    public static KnowledgeBase openReadOnly(Path folder) {
        LuceneCompatibility.check();
        Path absolute = folder.toAbsolutePath();
        return openReadOnly(absolute, new AbsentEmbedder(Store.embedder(absolute)));
    }

    /**
     * Returns a job that synchronizes the knowledge base with {@code source}: new and changed documents are split, embedded
     * and written; unchanged documents are skipped; documents that the source no longer has are deleted.
     *
     * <p>A document is unchanged if neither its content nor the chunking has changed. Of a changed document, only passages
     * whose text is not yet indexed are embedded. The job commits every {@link KnowledgeOptions#commitPassages()} passages
     * and at its end. If it is cancelled or fails, the last commit remains and the next ingest resumes from it. The job
     * first waits until other writes of this object have ended. An interrupt never damages the open files: a separate
     * thread, named {@code pollux-knowledge}, writes and ends when idle. Events: {@code read} and {@code commit} in
     * documents, {@code embed} in passages, {@code calibrate} in sentences, a notice for each skipped document.
     *
     * <p>At its end the job measures {@link #scale()} if it has not been measured yet, or if the number of passages has
     * changed by a quarter since.
     */
    public Job<IngestReport> ingest(DocumentSource source) {
        checkName(source.name());
        return Job.of("ingest", job -> exclusively(() -> ingest(source, job)));
    }

    /**
     * Passages by reciprocal rank fusion of {@link #denseRetriever()} and {@link #lexicalRetriever()} on one commit, as in
     * {@link dev.pollux.retrieval.Retrievers#fused}. A score is in (0, 2/61]. A query in a language that the embedder does
     * not read ({@link EmbedderInfo#languages()}) is answered by the lexical arm alone. In all three retrievers, the query's
     * filter is applied before the best hits are chosen.
     */
    public Retriever retriever() {
        return query -> {
            if (unreadLanguage(query).isPresent()) {
                return store.read(snapshot -> {
                    View view = snapshot.view(query.filter());
                    return view.hits(Fusion.fuse(List.of(view.matching(query.text(), query.topK())), query.topK()));
                });
            }
            float[] vector = embed(query.text()); // (dimension)
            int depth = Math.max(Fusion.ARM_DEPTH, query.topK());
            return store.read(snapshot -> {
                View view = snapshot.view(query.filter());
                List<Scored> dense = view.nearest(vector, depth);
                List<Scored> lexical = view.matching(query.text(), depth);
                return view.hits(Fusion.fuse(List.of(dense, lexical), query.topK()));
            });
        };
    }

    /**
     * The scale of the embedder's similarities on these documents, measured by an ingest (see {@link #ingest}); pass it to {@code
     * Twin.Builder.scale(knowledge::scale)}. If an earlier version made the knowledge base, the first call measures the
     * scale, which embeds about 250 sentences, and this object caches it. Without the embedder or without documents the
     * scale is {@link SimilarityScale#NONE}.
     */
    public SimilarityScale scale() {
        return scale.get();
    }

    /**
     * The ISO 639-1 code of a query's language if the embedder does not read that language, so that {@link #retriever()}
     * searches by words alone; empty if the embedder reads it or the language is unknown.
     */
    public Optional<String> unreadLanguage(Query query) {
        EmbedderInfo info = embedder.info();
        return info.languages().isEmpty()
                ? Optional.empty()
                : Optional.of(store.read(snapshot -> Languages.ofQuestion(
                                        query.text(),
                                        snapshot.languages().stream()
                                                .map(Languages::byCode)
                                                .toList())
                                .code()))
                        .filter(code -> !info.reads(code));
    }

    /** Ranks passages by the inner product of their vector with the query's. Scores are in [-1, 1]. The search is exact. */
    public Retriever denseRetriever() {
        return query -> {
            float[] vector = embed(query.text()); // (dimension)
            return store.read(snapshot -> {
                View view = snapshot.view(query.filter());
                return view.hits(view.nearest(vector, query.topK()));
            });
        };
    }

    /**
     * Ranks passages that share words with the query by BM25 (k1 = 1.2, b = 0.75) over stems in the language of each
     * passage: score = BM25(passage) + 2 · BM25(document) &gt; 0.
     */
    public Retriever lexicalRetriever() {
        return query -> store.read(snapshot -> {
            View view = snapshot.view(query.filter());
            return view.hits(view.matching(query.text(), query.topK()));
        });
    }

    /**
     * Deletes a source and all of its documents. Later queries no longer find them; a later ingest adds them again.
     *
     * @param source its name
     *
     * @return the number of documents deleted
     */
    public int delete(String source) {
        return exclusively(() -> {
            Optional<SourceRecord> known =
                    store.read(snapshot -> snapshot.sources().named(source));
            if (known.isEmpty()) {
                return 0;
            }
            int documents = ids(known.get()).size();
            store.deleteSource(known.get().key());
            store.commit();
            return documents;
        });
    }

    /**
     * Deletes documents of a source; unknown ids are ignored.
     *
     * @param source its name
     * @return the number of documents deleted
     */
    public int delete(String source, Collection<String> documents) {
        return exclusively(() -> {
            Optional<SourceRecord> known =
                    store.read(snapshot -> snapshot.sources().named(source));
            Set<String> ids = known.map(this::ids).orElse(Set.of());
            Set<String> found = documents.stream().filter(ids::contains).collect(Collectors.toSet());
            found.forEach(id -> store.delete(IndexLayout.key(known.orElseThrow().key(), id)));
            if (!found.isEmpty()) {
                store.commit();
            }
            return found.size();
        });
    }

    private Set<String> ids(SourceRecord source) {
        return store.read(snapshot -> snapshot.values(source.key(), IndexLayout.VERSION))
                .keySet();
    }

    /** The sources, sorted by name. */
    public List<KnownSource> sources() {
        return store.read(snapshot -> {
            Map<String, IntSummaryStatistics> passages = snapshot.documents().stream()
                    .collect(Collectors.groupingBy(
                            KnownDocument::source, Collectors.summarizingInt(KnownDocument::passages)));
            return snapshot.sources().all().stream()
                    .sorted(Comparator.comparing(SourceRecord::name))
                    .map(source -> known(source, passages.getOrDefault(source.name(), new IntSummaryStatistics())))
                    .toList();
        });
    }

    private static KnownSource known(SourceRecord source, IntSummaryStatistics passages) {
        return new KnownSource(
                source.name(),
                source.path(),
                (int) passages.getCount(),
                (int) passages.getSum(),
                source.changed(),
                source.isMissing(),
                source.skipped());
    }

    /** Every document, in no particular order. */
    public List<KnownDocument> documents() {
        return store.read(Snapshot::documents);
    }

    /** The absolute path of the folder. */
    public Path folder() {
        return store.folder();
    }

    /** Counts and sizes of the content. */
    public KnowledgeStats stats() {
        return store.read(snapshot -> {
            List<KnownDocument> documents = snapshot.documents();
            EmbedderInfo info = embedder.info();
            return new KnowledgeStats(
                    snapshot.sources().all().size(),
                    documents.size(),
                    snapshot.passageCount(),
                    store.bytesOnDisk(),
                    info.name(),
                    info.fingerprint(),
                    info.dimension(),
                    snapshot.scale().map(MeasuredScale::scale).orElse(SimilarityScale.NONE),
                    snapshot.commitTime());
        });
    }

    /**
     * Makes the latest commit of another process visible; useful if opened read-only.
     *
     * @return whether there was a new commit
     */
    public boolean refresh() {
        return store.refresh();
    }

    /**
     * Stops a running ingest at its next safe point, waits for it and closes the files. The embedder stays open. Idempotent.
     */
    @Override
    public void close() {
        store.stop();
        writing.lock();
        try {
            store.close();
        } finally {
            writing.unlock();
        }
    }

    /** The folder and the embedder. */
    @Override
    public String toString() {
        return "KnowledgeBase[" + store.folder() + ", " + embedder.info().name() + "]";
    }

    private static void checkName(String name) {
        boolean clean = name.chars().noneMatch(c -> c == '#' || Character.isISOControl(c));
        if (name.isBlank() || name.length() > 4096 || !clean) {
            throw new IllegalArgumentException(
                    "A source's name must not be blank, longer than 4096 characters or hold #"
                            + " or control characters but was '" + name + "'");
        }
    }

    private IngestReport ingest(DocumentSource source, JobContext job) {
        return new Ingest(store, embedder, options, source, job).run(source);
    }

    private <T> T exclusively(Supplier<T> work) {
        Interrupts.lock(writing);
        try {
            store.checkWritable();
            T result = work.get();
            store.describe();
            return result;
        } catch (RuntimeException | Error e) {
            describeAfter(e);
            throw e;
        } finally {
            writing.unlock();
        }
    }

    /** Writes the manifest also after a failure, since earlier commits remain, unless it cannot be written. */
    private void describeAfter(Throwable e) {
        try {
            store.describe();
        } catch (RuntimeException suppressed) {
            e.addSuppressed(suppressed);
        }
    }

    private float[] embed(String text) { // (dimension)
        store.checkOpen();
        return QueryVector.of(embedder, text);
    }

    static void checkVector(float[] vector, EmbedderInfo info) { // (dimension)
        if (vector.length != info.dimension()) {
            throw new ModelExecutionException("Embedder " + info.name() + " made a vector of length " + vector.length
                    + " where its dimension is " + info.dimension());
        }
        for (float value : vector) {
            if (!Float.isFinite(value)) {
                throw new ModelExecutionException(
                        "Embedder " + info.name() + " made a vector that holds " + value + "; its model is broken");
            }
        }
    }
}
