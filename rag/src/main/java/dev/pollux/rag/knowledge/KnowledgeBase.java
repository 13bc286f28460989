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
 * Documents, kept in a folder and found by meaning and by words.
 *
 * <pre>{@code
 * try (KnowledgeBase knowledge = KnowledgeBase.open(Path.of("kb"), embedder)) {
 *     knowledge.ingest(DocumentSource.folder(Path.of("docs"))).run();
 *     List<Hit> hits = knowledge.retriever().retrieve(Query.of("How do I merge two models?"));
 * }
 * }</pre>
 *
 * <p>What is committed survives the death of the process at any moment; an interrupted ingest goes on where its last
 * commit was. Retrieval sees whole commits only, each query one of them, also while an ingest runs. One process at a
 * time may write; others open read-only.
 *
 * <p><em>Thread-safe.</em>
 */
public final class KnowledgeBase implements AutoCloseable {

    /** The format of the files that are written. The one before is read; a knowledge base of any other is refused. */
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
     * Opens or creates a knowledge base for reading and writing. Its {@link dev.pollux.artifact.ArtifactManifest} is in its
     * folder, but for the time of a change.
     *
     * @param folder its own folder; created if absent
     * @param embedder the one it was made with; stays the caller's to close, after this
     * @throws dev.pollux.StorageException if it was made with another embedder, is in use by another writer, is of
     *     another format or of another version of Lucene, or cannot be read; if the folder holds other things
     * @throws dev.pollux.PolluxException if the Lucene on the class path is older than 9.5 or made for a newer Java
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
     * Opens a knowledge base for retrieval only, while another process may write to it; {@link #refresh()} shows what
     * that one has committed since.
     *
     * @throws dev.pollux.StorageException as {@link #open}, and if there is no knowledge base in {@code folder}
     */
    public static KnowledgeBase openReadOnly(Path folder, Embedder embedder) {
        LuceneCompatibility.check();
        return new KnowledgeBase(
                Store.open(folder.toAbsolutePath(), embedder.info(), false), embedder, KnowledgeOptions.DEFAULTS);
    }

    /**
     * Opens a knowledge base that exists, without its embedder: to list what is there, to delete, and to find by words. What
     * needs the vector of a text throws {@link IllegalStateException}.
     *
     * @throws dev.pollux.StorageException as {@link #open(Path, Embedder)}, and if there is no knowledge base in
     *     {@code folder}
     */
    public static KnowledgeBase open(Path folder) {
        LuceneCompatibility.check();
        Path absolute = folder.toAbsolutePath();
        return open(absolute, new AbsentEmbedder(Store.embedder(absolute)));
    }

    /** The same as {@link #open(Path)}, while another process may write to it. */
    public static KnowledgeBase openReadOnly(Path folder) {
        LuceneCompatibility.check();
        Path absolute = folder.toAbsolutePath();
        return openReadOnly(absolute, new AbsentEmbedder(Store.embedder(absolute)));
    }

    /**
     * A job that makes this hold what {@code source} holds: new and changed documents are cut, embedded and written,
     * unchanged ones left alone, vanished ones deleted.
     *
     * <p>A document is unchanged if its content and the chunking are; of a changed one only the passages whose text is
     * not in the index yet are embedded. The job commits every {@link KnowledgeOptions#commitPassages()} passages and at
     * its end; a cancelled or failed one leaves the last commit, and the next ingest goes on from there. It waits for
     * other writing of this object to end first. An interrupt never damages what is open: writing is done on a thread
     * of its own, named {@code pollux-knowledge}, which ends when idle. Events: {@code read} and {@code commit} in documents, {@code embed} in
     * passages, {@code calibrate} in sentences, a notice for each skipped document.
     *
     * <p>At its end it measures {@link #scale()} where the knowledge base has none yet, or has a quarter more or fewer passages
     * than when it was measured.
     */
    public Job<IngestReport> ingest(DocumentSource source) {
        checkName(source.name());
        return Job.of("ingest", job -> exclusively(() -> ingest(source, job)));
    }

    /**
     * Passages by reciprocal rank fusion of {@link #denseRetriever()} and {@link #lexicalRetriever()} on one commit, as
     * {@link dev.pollux.retrieval.Retrievers#fused} does it. A score is in (0, 2/61]. A query in a language that the embedder
     * does not read ({@link EmbedderInfo#languages()}) is answered by the lexical arm alone. The query's filter holds for
     * both arms, before either chooses its best; so it does in the other two retrievers.
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
     * What the embedder's similarities mean on these documents, as the last ingest measured it: for
     * {@code Twin.Builder.scale(knowledge::scale)}. Of a knowledge base that an earlier version made it is measured at the first
     * call, which embeds some 250 sentences, and kept by this object; without its embedder, or without documents, it is
     * {@link SimilarityScale#NONE}.
     */
    public SimilarityScale scale() {
        return scale.get();
    }

    /**
     * The ISO 639-1 code of the language of a query where the embedder does not read it, so that {@link #retriever()} searches by
     * words alone; empty where it does, or where the language is not known.
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

    /** Passages by the inner product of their vector and the query's, in [-1, 1], exact over all passages. */
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
     * Passages that share words with the query, by BM25 over stems in the language of each passage (k1 = 1.2,
     * b = 0.75): the passage's score plus
     * twice its whole document's; above 0.
     */
    public Retriever lexicalRetriever() {
        return query -> store.read(snapshot -> {
            View view = snapshot.view(query.filter());
            return view.hits(view.matching(query.text(), query.topK()));
        });
    }

    /**
     * Deletes a source and all of its documents, at once and for all later queries. A later ingest brings them back.
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
            Set<String> ids = ids(known.get());
            ids.forEach(id -> store.delete(IndexLayout.key(known.get().key(), id)));
            store.delete(known.get().key());
            store.commit();
            return ids.size();
        });
    }

    /**
     * Deletes documents of a source; ids that it does not have are passed over.
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

    /** The sources, by name. */
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

    /** Its folder, absolute. */
    public Path folder() {
        return store.folder();
    }

    /** How much there is. */
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
     * Looks for a commit of another process; of use when opened read-only.
     *
     * @return whether there was one
     */
    public boolean refresh() {
        return store.refresh();
    }

    /** Stops a running ingest at its next safe point, waits for it and closes the files, not the embedder. Idempotent. */
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

    /** What was committed before a failure is described too, unless there is no way to. */
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
