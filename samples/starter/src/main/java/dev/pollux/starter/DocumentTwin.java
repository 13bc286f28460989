package dev.pollux.starter;

import dev.pollux.embedding.Embedder;
import dev.pollux.generation.Generator;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.ModelLocator;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
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
 * A {@link Twin} with all that it needs, open: an embedder, a knowledge base that is up to date with its folders, and a model
 * where one is to write. {@link Pollux#twin} opens it, {@link #close} closes all of it.
 *
 * <p>The knowledge base is open for reading only, so that any number of processes may have a twin of the same folder. What
 * changes in the folder afterwards is read by {@link #updating}.
 *
 * <p><em>Thread-safe</em>: any number of threads may ask at once, also while documents are read; a {@link Conversation} and an
 * {@link AnswerStream} belong to one thread each. A question that is being answered when the twin is closed ends with an
 * exception or with what was written so far.
 */
public final class DocumentTwin implements AutoCloseable {

    /** The name of the embedded model that writes where no other is named. */
    public static final String DEFAULT_MODEL = "smollm2-135m-instruct";

    private final DocumentKnowledge documents;
    private final Parts parts;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** What is open. */
    private record Parts(
            Deque<Runnable> closing, Embedder embedder, KnowledgeBase knowledge, Twin twin, WritingAbility ability) {}

    /** Where the model is, and whether it writes; no place where none is looked for. */
    private record Model(Optional<Path> path, WritingAbility ability) {}

    private DocumentTwin(DocumentKnowledge documents, Parts parts) {
        this.documents = documents;
        this.parts = parts;
    }

    /**
     * A job that opens one. Reported are the documents that are read ({@code read}, {@code embed}, {@code commit}) and, the
     * first time, the fetching, unpacking and export of a model; listeners are called one at a time, also from the thread that
     * opens the model meanwhile. A notice is a sentence for the user.
     *
     * @throws dev.pollux.StorageException from the job, if a folder or the model is not there, the cache cannot be written, or
     *     there is no knowledge base where only that is named
     * @throws dev.pollux.UnsupportedModelException from the job, if the model is of an unknown kind
     */
    public static Job<DocumentTwin> opening(DocumentTwinOptions options) {
        return Job.of("twin", context -> open(options, context));
    }

    /** What fails closes what was opened before it. */
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
            KnowledgeBase knowledge = reports.run(documents.opening(embedder));
            closing.push(knowledge::close);
            Twin.Builder twin = Twin.builder()
                    .retriever(knowledge.retriever())
                    .embedder(embedder)
                    .scale(knowledge::scale)
                    .persona(options.persona())
                    .options(options.twin());
            model.map(Opening::get).ifPresent(twin::generator);
            return new DocumentTwin(
                    documents, new Parts(closing, embedder, knowledge, twin.build(), located.ability()));
        } catch (RuntimeException | Error e) { // also what a class does that is first used while the JVM ends
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

    /** The model is found on the caller's thread, so that one that is not there is told first; only its size is read. */
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
        Job<Generator> opening = OnnxGenerator.opening(path, options.adapters(), engine);
        return Opening.begin("open", () -> job.run(opening), opening::cancel);
    }

    /**
     * Answers a question.
     *
     * @throws IllegalArgumentException if the question is blank
     * @throws IllegalStateException after {@link #close()}
     */
    public Answer ask(String question) {
        return twin().ask(question);
    }

    /**
     * Begins an answer; see {@link Twin#stream}.
     *
     * @throws IllegalArgumentException if the question is blank
     * @throws IllegalStateException after {@link #close()}
     */
    public AnswerStream stream(String question) {
        return twin().stream(question);
    }

    /**
     * Begins a conversation, whose questions may lean on those before them.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public Conversation chat() {
        return twin().chat();
    }

    /** The {@value Query#DEFAULT_TOP_K} passages that bear best on a question or on words, best first. */
    public List<Hit> search(String query) {
        return search(Query.of(query));
    }

    /**
     * The passages that bear best on a query, best first, by {@link KnowledgeBase#retriever()}.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public List<Hit> search(Query query) {
        return knowledge().retriever().retrieve(query);
    }

    /**
     * A job that reads what is new or changed in the folders since they were read last. Questions are answered meanwhile, from
     * what there was before; afterwards from all of it.
     *
     * @return a report for each folder; none where this twin has a knowledge base without folders
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

    /** Whether a model writes the answers, and why; where it does not, none is open. */
    public WritingAbility writing() {
        return parts.ability();
    }

    /**
     * The twin below; it closes with this.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public Twin twin() {
        checkOpen();
        return parts.twin();
    }

    /**
     * The knowledge base below, open for reading; it closes with this.
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

    /** Closes the twin's parts, the last opened first. Idempotent. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            parts.closing().forEach(Runnable::run);
        }
    }
}
