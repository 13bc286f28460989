package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.job.Job;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

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
    private final KnowledgeScale scale;
    private final KnowledgeSearch search;
    private final KnowledgeWrites writes;

    private KnowledgeBase(Store store, Embedder embedder, KnowledgeOptions options) {
        this.store = store;
        this.embedder = embedder;
        this.scale = new KnowledgeScale(store, embedder);
        this.search = new KnowledgeSearch(store, embedder);
        this.writes = new KnowledgeWrites(store, embedder, options);
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
        Store store = Store.open(settings(folder, embedder, options), embedder.info(), true);
        try {
            store.describe();
            KnowledgeBase knowledge = new KnowledgeBase(store, embedder, options);
            knowledge.writes.changed(); // what a killed process did not finish
            return knowledge;
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
        return openReadOnly(folder, embedder, KnowledgeOptions.DEFAULTS);
    }

    static KnowledgeBase openReadOnly(Path folder, Embedder embedder, KnowledgeOptions options) {
        Store store = Store.open(settings(folder, embedder, options), embedder.info(), false);
        return new KnowledgeBase(store, embedder, options);
    }

    private static IndexSettings settings(Path folder, Embedder embedder, KnowledgeOptions options) {
        return options.settings(folder.toAbsolutePath(), embedder.info().dimension());
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
        KnowledgeWrites.checkName(source.name());
        return Job.of("ingest", job -> writes.ingest(source, true, job));
    }

    /**
     * Passages by reciprocal rank fusion of {@link #denseRetriever()} and {@link #lexicalRetriever()} on one commit, as in
     * {@link dev.pollux.retrieval.Retrievers#fused}. A score is in (0, 2/61]. A query in a language that the embedder does
     * not read ({@link EmbedderInfo#languages()}) is answered by the lexical arm alone. In all three retrievers, the query's
     * filter is applied before the best hits are chosen.
     */
    public Retriever retriever() {
        return query -> search.hybrid(query, 1, 1);
    }

    /**
     * As {@link #retriever()}, with weights of the two arms: score = dense / (60 + rank) + lexical / (60 + rank).
     *
     * @param dense weight of the dense arm, at least 0
     * @param lexical weight of the lexical arm, at least 0
     */
    public Retriever retriever(double dense, double lexical) {
        if (!(dense >= 0 && lexical >= 0 && dense + lexical > 0 && dense + lexical < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "Weights must be at least 0, finite and not both 0 but were " + dense + " and " + lexical);
        }
        return query -> search.hybrid(query, dense, lexical);
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
        return search.unreadLanguage(query);
    }

    /**
     * Ranks passages by the inner product of their vector with the query's. Scores are in [-1, 1]. The search is exact up to
     * 30,000 searchable passages in a segment, and if a filter allows less than 15 % of a segment. Otherwise it uses the
     * segment's graph once it is built, and finds nearly all of the best.
     */
    public Retriever denseRetriever() {
        return search::dense;
    }

    /**
     * Ranks passages that share words with the query by BM25 (k1 = 1.2, b = 0.75) over stems in the language of each
     * passage: score = BM25(passage) + 2 · BM25(document) &gt; 0.
     */
    public Retriever lexicalRetriever() {
        return search::lexical;
    }

    /**
     * Deletes a source and all of its documents. Later queries no longer find them; a later ingest adds them again.
     *
     * @param source its name
     *
     * @return the number of documents deleted
     */
    public int delete(String source) {
        return writes.delete(source);
    }

    /**
     * Deletes documents of a source; unknown ids are ignored.
     *
     * @param source its name
     * @return the number of documents deleted
     */
    public int delete(String source, Collection<String> documents) {
        return writes.delete(source, documents);
    }

    /**
     * Deletes the documents that satisfy a filter, of all sources. A later ingest of their source adds them again.
     *
     * @throws IllegalArgumentException if the filter is {@link Filter#all()}; delete the sources instead
     * @return the number of documents deleted
     */
    public int delete(Filter filter) {
        return writes.delete(filter);
    }

    /**
     * Returns a job that adds documents to a source or replaces those with the same ids; the other documents of the source stay.
     * The source is created if there is none with this name. Otherwise as {@link #ingest}.
     *
     * @param source its name
     * @throws IllegalArgumentException if two documents have the same id
     */
    public Job<IngestReport> upsert(String source, List<Document> documents) {
        KnowledgeWrites.checkName(source);
        DocumentSource from = DocumentSource.of(source, documents);
        return Job.of("upsert", job -> writes.ingest(from, false, job));
    }

    /** The sources, sorted by name. */
    public List<KnownSource> sources() {
        return store.read(KnownSources::of);
    }

    /** Every document, in no particular order. */
    public List<KnownDocument> documents() {
        return store.read(snapshot -> snapshot.stored().documents());
    }

    /**
     * The passages of a document, in order.
     *
     * @param source name of its source
     * @param document its id
     * @return empty if there is no such document
     */
    public List<Passage> passages(String source, String document) {
        return store.read(snapshot -> snapshot.stored().passages(source, document));
    }

    /** Whether some passages are parts of a parent; see {@link dev.pollux.rag.chunk.ChunkStrategy#PARENT_CHILD}. */
    public boolean hasParents() {
        return store.read(Parents::exist);
    }

    /** The passages of the parent of a passage, in order, itself included; empty if it has no parent. */
    public List<Passage> siblings(Passage passage) {
        return store.read(snapshot -> Parents.siblings(snapshot, passage));
    }

    /**
     * The stored vectors of passages, L2-normalised.
     *
     * @param passages of this knowledge base
     * @return (passages, dimension); a row of zeros for a passage that is no longer there
     */
    public float[][] vectors(List<Passage> passages) {
        return store.read(snapshot -> {
            float[][] rows = new float[passages.size()][];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = snapshot.vector(passages.get(i));
            }
            return rows;
        });
    }

    /** Access by vectors, for hosts that compute vectors themselves. */
    public KnowledgeVectors vectors() {
        return new KnowledgeVectors(embedder, search, writes);
    }

    List<KnownDocument> documents(Filter filter) {
        return List.copyOf(store.read(snapshot -> snapshot.documents(filter)).values());
    }

    /** The fields of the metadata of the documents, sorted by name. */
    public List<MetadataField> fields() {
        return fields(Filter.all()).all();
    }

    MetadataFields fields(Filter filter) {
        return MetadataFields.of(store.read(snapshot -> snapshot.metadata(filter)));
    }

    /**
     * Parses a filter and checks that its fields exist.
     *
     * @param text as {@link Filter#parse} reads it
     * @throws IllegalArgumentException if the text does not parse, with the position; or if no document has one of its fields,
     *     with the nearest name
     */
    public Filter filter(String text) {
        return fields(Filter.all()).checked(Filter.parse(text));
    }

    /** The part of this knowledge base that satisfies a filter, such as the documents of one tenant. */
    public KnowledgeView view(Filter filter) {
        return new KnowledgeView(this, filter);
    }

    /** The absolute path of the folder. */
    public Path folder() {
        return store.files().folder();
    }

    /** Counts and sizes of the content. */
    public KnowledgeStats stats() {
        return store.read(snapshot -> KnowledgeStats.of(snapshot, store, embedder.info()));
    }

    /**
     * Returns a job that builds the vector files and graphs that are missing, and waits for a build in the background. Segments
     * of 1,024 vectors and more have a mapped file, so that the heap does not grow with the knowledge base; those of 30,000 and
     * more have a graph. Events: {@code index} in segments, {@code graph} in vectors.
     *
     * @throws IllegalStateException from the job, if the knowledge base is open read-only
     */
    public Job<IndexReport> index() {
        return Job.of("index", job -> writes.build(false, job));
    }

    /** Returns a job that builds all vector files, graphs and the manifest anew from the Lucene index; see {@link #index()}. */
    public Job<IndexReport> rebuild() {
        return Job.of("rebuild", job -> writes.build(true, job));
    }

    /**
     * Returns a job that merges all segments into one without deleted passages and builds its vector file and its graph. Queries
     * go on meanwhile. It needs twice the space of the knowledge base.
     */
    public Job<IndexReport> compact() {
        return Job.of("compact", writes::compact);
    }

    /**
     * Returns a job that reads every file of the newest commit of a knowledge base and compares it with its checksum. It needs
     * neither the embedder nor the lock, and changes nothing. Events: {@code verify} in files.
     *
     * @throws dev.pollux.StorageException if there is no knowledge base in {@code folder}
     */
    public static Job<VerifyReport> verifying(Path folder) {
        LuceneCompatibility.check();
        new StoreFolder(folder).checkExists();
        return Job.of("verify", job -> new Verification(folder.toAbsolutePath(), job).run());
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
        writes.close();
    }

    /** The folder and the embedder. */
    @Override
    public String toString() {
        return "KnowledgeBase[" + store.files().folder() + ", "
                + embedder.info().name() + "]";
    }
}
