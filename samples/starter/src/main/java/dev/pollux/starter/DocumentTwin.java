package dev.pollux.starter;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.Generator;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.LongText;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.OnnxReranker;
import dev.pollux.inference.encoder.RerankerOptions;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.ModelLocator;
import dev.pollux.internal.Opening;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.search.SearchPipeline;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Conversation;
import dev.pollux.twin.Twin;
import dev.pollux.twin.TwinOptions;
import dev.pollux.twin.WritingAbility;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open {@link Twin} with its resources: an embedder, a knowledge base that is up to date with its folders, and a model
 * if one writes. {@link Pollux#twin} opens it; {@link #close} closes all resources.
 *
 * <p>The knowledge base is open read-only, so that any number of processes can open a twin of the same folder.
 * {@link #updating} reads later changes of the folder.
 *
 * <p><em>Thread-safe</em>: any number of threads may ask at once, also during an update; a {@link Conversation} and an
 * {@link AnswerStream} are confined to one thread each. If the twin is closed while it answers a question, the answer ends
 * with an exception or with the text so far.
 */
public final class DocumentTwin implements AutoCloseable {

    /** Name of the embedded model, the default for writing. */
    public static final String DEFAULT_MODEL = "smollm2-135m-instruct";

    /** Number of the best hits of a search that a {@linkplain DocumentTwinOptions#reranker() reranker} scores again. */
    public static final int RERANKED = 30;

    private final DocumentKnowledge documents;
    private final Parts parts;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** The open resources. */
    private record Parts(
            Deque<Runnable> closing,
            Embedder embedder,
            KnowledgeBase knowledge,
            Retriever retriever,
            Twin twin,
            WritingAbility ability) {}

    /** The model's path and whether it writes; the path is empty if no model is looked up. */
    private record Model(Optional<Path> path, WritingAbility ability) {}

    private DocumentTwin(DocumentKnowledge documents, Parts parts) {
        this.documents = documents;
        this.parts = parts;
    }

    /**
     * Returns a job that opens a twin. It reports the progress of the documents ({@code read}, {@code embed},
     * {@code commit}) and, on first use of a model, of its download, unpacking and export. Listeners are called one at a
     * time, also from the thread that opens the model concurrently. A notice is a sentence for the user.
     *
     * @throws dev.pollux.StorageException from the job, if a folder or the model does not exist, the cache cannot be
     *     written, or only a knowledge base is named and it does not exist
     * @throws dev.pollux.UnsupportedModelException from the job, if the kind of the model is unknown
     */
    public static Job<DocumentTwin> openJob(DocumentTwinOptions options) {
        return Job.of("twin", context -> open(options, context));
    }

    /** On failure, closes all resources opened so far. */
    private static DocumentTwin open(DocumentTwinOptions options, JobContext job) {
        DocumentKnowledge documents = DocumentKnowledge.of(options);
        JobContext reports = new OneAtATime(job);
        Deque<Runnable> closing = new ArrayDeque<>();
        try {
            Model located = locate(options, reports);
            Optional<Opening<Generator>> model = located.ability().writes()
                    ? located.path().map(path -> openModel(path, options, reports))
                    : Optional.empty();
            model.ifPresent(opening -> closing.push(opening::close));
            Embedder embedder = openEmbedder(options);
            closing.push(embedder::close);
            KnowledgeBase knowledge = reports.run(documents.openJob(embedder));
            closing.push(knowledge::close);
            SearchPipeline search = SearchPipeline.over(knowledge).parents();
            options.filter().map(knowledge::filter).ifPresent(search::filter);
            options.reranker().map(folder -> openReranker(folder, options)).ifPresent(reranker -> {
                closing.push(reranker::close);
                search.rerank(reranker, RERANKED);
            });
            Retriever retriever = search.build();
            Twin.Builder twin = Twin.builder()
                    .retriever(retriever)
                    .embedder(embedder)
                    .scale(knowledge::scale)
                    .persona(options.persona())
                    .options(options.twin());
            model.map(Opening::get).ifPresent(twin::generator);
            return new DocumentTwin(
                    documents, new Parts(closing, embedder, knowledge, retriever, twin.build(), located.ability()));
        } catch (RuntimeException | Error e) { // includes linkage errors of classes first used during JVM shutdown
            closing.forEach(Runnable::run);
            throw e;
        }
    }

    private static Embedder openEmbedder(DocumentTwinOptions options) {
        EmbedderOptions encoder =
                EmbedderOptions.builder().workers(options.engine().threads()).build();
        return options.embedder().isPresent()
                ? OnnxEmbedder.open(options.embedder().get(), encoder)
                : OnnxEmbedder.bundled(encoder);
    }

    private static OnnxReranker openReranker(Path folder, DocumentTwinOptions options) {
        return OnnxReranker.open(
                folder,
                RerankerOptions.builder()
                        .workers(options.engine().threads())
                        .longText(LongText.WINDOWED)
                        .cache(options.cache())
                        .build());
    }

    /** Locates the model on the caller's thread, so that a missing model fails first; reads only its size. */
    private static Model locate(DocumentTwinOptions options, JobContext job) {
        TwinOptions.Style style = options.twin().style();
        if (!options.opensModel()) {
            WritingAbility none = style == TwinOptions.Style.QUOTE
                    ? WritingAbility.of(style, OptionalLong.empty())
                    : new WritingAbility(false, "no model is named, and the embedded one is too small to write well");
            return new Model(Optional.empty(), none);
        }
        Path path = job.run(ModelLocator.locating(options.model().orElse(DEFAULT_MODEL), options.cache()));
        OptionalLong size = style == TwinOptions.Style.AUTO ? OnnxGenerator.parameters(path) : OptionalLong.empty();
        return new Model(Optional.of(path), WritingAbility.of(style, size));
    }

    private static Opening<Generator> openModel(Path path, DocumentTwinOptions options, JobContext job) {
        EngineOptions given = options.engine();
        EngineOptions engine = given.toBuilder()
                .adapters(given.adapters() || !options.adapters().isEmpty())
                .cache(options.cache())
                .build();
        Job<Generator> opening = OnnxGenerator.openJob(path, options.adapters(), engine);
        return Opening.begin("open", () -> job.run(opening), opening::cancel, Generator::close);
    }

    /**
     * Answers a question.
     *
     * @return the complete answer
     * @throws IllegalArgumentException if the question is blank
     * @throws IllegalStateException after {@link #close()}
     */
    public Answer ask(String question) {
        return twin().ask(question);
    }

    /**
     * Starts an answer; see {@link Twin#stream}.
     *
     * @throws IllegalArgumentException if the question is blank
     * @throws IllegalStateException after {@link #close()}
     */
    public AnswerStream stream(String question) {
        return twin().stream(question);
    }

    /**
     * Starts a conversation, in which a question may refer to earlier ones.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public Conversation chat() {
        return twin().chat();
    }

    /** Returns the {@value Query#DEFAULT_TOP_K} most relevant passages for a question or for keywords, best first. */
    public List<Hit> search(String query) {
        return search(Query.of(query));
    }

    /**
     * Returns the passages that an answer would be made of, best first: hybrid search under the filter of the options, scored again by their
     * reranker, if there is one; the parents of passages that have one.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public List<Hit> search(Query query) {
        checkOpen();
        return parts.retriever().retrieve(query);
    }

    /**
     * Returns a job that reads new and changed documents of the folders. Questions during the job are answered from the
     * previous state, questions after it from the new one.
     *
     * @return a job with a report for each folder; no reports if this twin has a knowledge base without folders
     * @throws dev.pollux.StorageException from the job, if another process writes to the knowledge base for too long
     * @throws IllegalStateException after {@link #close()}
     */
    public Job<List<IngestReport>> updating() {
        KnowledgeBase knowledge = knowledge();
        return Job.of("ingest", job -> {
            List<IngestReport> reports = job.run(documents.updating(parts.embedder()));
            knowledge.refresh();
            return reports;
        });
    }

    /** Returns whether a model writes the answers, with the reason; if not, no model is open. */
    public WritingAbility writing() {
        return parts.ability();
    }

    /**
     * Returns the underlying twin, which is closed with this one.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public Twin twin() {
        checkOpen();
        return parts.twin();
    }

    /**
     * Returns the underlying knowledge base, open read-only; it is closed with this twin.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public KnowledgeBase knowledge() {
        checkOpen();
        return parts.knowledge();
    }

    private void checkOpen() {
        if (closed.get()) {
            throw new IllegalStateException("This twin is closed; open another with Pollux.twin");
        }
    }

    /** Closes the resources in reverse order of opening. Idempotent. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            parts.closing().forEach(Runnable::run);
        }
    }
}
