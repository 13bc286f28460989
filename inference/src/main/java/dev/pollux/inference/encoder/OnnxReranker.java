package dev.pollux.inference.encoder;

import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.encoder.PairWindows.Pair;
import dev.pollux.inference.encoder.PairWindows.Window;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.Job;
import dev.pollux.retrieval.Reranker;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * A cross-encoder in this process: it reads a query and a text together and scores the text.
 *
 * <pre>{@code
 * try (OnnxReranker reranker = OnnxReranker.open(folder)) {
 *     float[] scores = reranker.score("How are models merged?", texts); // (texts), higher is better
 *     Retriever better = retriever.reranked(reranker, 50);
 * }
 * }</pre>
 *
 * <p>A score is the model's one logit after an activation: the logistic function, with scores in (0, 1), unless the folder
 * names another. A score depends only on the query, the text and the options, because each pair runs alone.
 *
 * <p>The calling thread scores pairs itself. With more than one worker, daemon threads help it as in {@link OnnxEmbedder}.
 * An interrupt ends a call after the current pair with {@link dev.pollux.CancelledException}; the thread stays interrupted.
 *
 * <p><em>Thread-safe.</em>
 */
public final class OnnxReranker implements Reranker, AutoCloseable {

    /** The graph output with the scores of a cross-encoder. */
    static final String OUTPUT = "logits";

    private final String name;
    private final int maxTokens;
    private final Tokenizer tokenizer;
    private final PairWindows pairs;
    private final EncoderSession session;
    private final Activation activation;
    private final WorkerPool pool;
    private final BlockingQueue<EncoderSession.Scratch> idle;
    private final OpenHandle handle;

    private OnnxReranker(
            EncoderSession session,
            Tokenizer tokenizer,
            EncoderConfig config,
            Activation activation,
            RerankerOptions options) {
        this.name = config.name();
        this.maxTokens = config.maxTokens();
        this.tokenizer = tokenizer;
        this.pairs = new PairWindows(tokenizer, config, options);
        this.session = session;
        this.activation = activation;
        this.pool = new WorkerPool("reranker " + name, "scored", options.workers());
        this.idle = new ArrayBlockingQueue<>(options.workers());
        for (int i = 0; i < options.workers(); i++) {
            idle.add(session.scratch());
        }
        this.handle = OpenHandle.of("OnnxReranker " + name);
    }

    /** Opens the folder of a cross-encoder with the settings stored in it; see {@link #openJob}. */
    public static OnnxReranker open(Path folder) {
        return open(folder, RerankerOptions.DEFAULTS);
    }

    /** Opens without showing progress; see {@link #openJob}. */
    public static OnnxReranker open(Path folder, RerankerOptions options) {
        return openJob(folder, options).run();
    }

    /**
     * Opens the folder of a cross-encoder, as a job: an ONNX model with an output {@code logits} (batch, 1), or a
     * checkpoint of transformers for sequence classification with one label, and {@code tokenizer.json}. A checkpoint is
     * hashed and exported the first time, which takes seconds and reports bytes and layers.
     *
     * <p>The job throws:
     *
     * <ul>
     *   <li>{@link StorageException} if a file is missing or cannot be read or written
     *   <li>{@link dev.pollux.MalformedFileException} if a file is damaged, or a tensor missing or of another shape
     *   <li>{@link UnsupportedModelException} if the architecture is unknown, the model does not return one score, or a
     *       tensor is not used by the architecture
     *   <li>{@link ModelExecutionException} if the runtime refuses the graph
     *   <li>{@link IllegalArgumentException} if {@code options} and the model do not fit together
     * </ul>
     */
    public static Job<OnnxReranker> openJob(Path folder, RerankerOptions options) {
        return Job.of("open", context -> {
            EncoderFolder read = EncoderFolder.read(folder);
            EmbedderOptions session = options.session();
            EncoderConfig config = read.config().with(session);
            Activation activation = options.logits() ? Activation.IDENTITY : read.scoreActivation();
            ModelSource source = read.model(options.file(), options.weights(), options.cache(), true, context);
            Tokenizer tokenizer = read.openTokenizer().tokenizer();
            try {
                return new OnnxReranker(scoring(source, config, session), tokenizer, config, activation, options);
            } catch (RuntimeException e) {
                tokenizer.close();
                throw e;
            }
        });
    }

    private static EncoderSession scoring(ModelSource source, EncoderConfig config, EmbedderOptions options) {
        EncoderSession session;
        try {
            session = new EncoderSession(source, config, options);
        } catch (IllegalArgumentException e) {
            throw new UnsupportedModelException(
                    source.name() + " must have an output " + OUTPUT + ", as cross-encoders have, but has none", e);
        }
        if (session.dimension() != 1) {
            session.close();
            throw new UnsupportedModelException(source.name() + " must give one score but gives " + session.dimension()
                    + "; a model with several labels is not a reranker");
        }
        return session;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if query and text exceed the token limit and {@link LongText#REFUSE} was chosen, or
     *     the query leaves no room for windows; then nothing is scored
     * @throws dev.pollux.CancelledException if the thread is interrupted or the reranker is closed during the call
     * @throws ModelExecutionException if the runtime fails or a score is not finite
     * @throws IllegalStateException after {@link #close()}
     */
    @Override
    public float[] score(String query, List<String> texts) {
        Objects.requireNonNull(query, "query");
        try (WorkerPool.Call call = pool.begin()) {
            Pair[] read = new Pair[texts.size()];
            call.each(read.length, i -> read[i] = pairs.of(query, Objects.requireNonNull(texts.get(i), "text")));
            refuseLong(read);
            return scores(call, read);
        }
    }

    private void refuseLong(Pair[] read) {
        List<Integer> refused = new ArrayList<>();
        for (int i = 0; i < read.length; i++) {
            if (read[i].windows().isEmpty()) {
                refused.add(i);
            }
        }
        if (!refused.isEmpty()) {
            throw new IllegalArgumentException("Text " + refused.get(0) + " has "
                    + read[refused.get(0)].tokens() + " tokens with its query but " + name + " reads at most "
                    + maxTokens
                    + (refused.size() == 1
                            ? ""
                            : " (" + (refused.size() - 1) + " more of " + read.length + " texts are too long)")
                    + "; split it, or open the reranker with LongText.WINDOWED");
        }
    }

    private record Run(int pair, int number, Window window) {}

    private float[] scores(WorkerPool.Call call, Pair[] read) {
        List<Run> runs = new ArrayList<>();
        double[][] logits = new double[read.length][];
        for (int i = 0; i < read.length; i++) {
            List<Window> windows = read[i].windows();
            logits[i] = new double[windows.size()];
            for (int w = 0; w < windows.size(); w++) {
                runs.add(new Run(i, w, windows.get(w)));
            }
        }
        // Longest first: no worker is left with a long pair after the others have finished.
        runs.sort(
                Comparator.comparingInt((Run run) -> run.window().ids().length).reversed());
        call.each(runs.size(), i -> {
            Run run = runs.get(i);
            logits[run.pair()][run.number()] = logit(call, run.window());
        });
        float[] scores = new float[read.length];
        for (int i = 0; i < scores.length; i++) {
            scores[i] =
                    (float) Arrays.stream(logits[i]).map(activation::of).max().orElseThrow();
        }
        return scores;
    }

    private double logit(WorkerPool.Call call, Window window) {
        EncoderSession.Scratch scratch;
        try {
            scratch = idle.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw pool.interrupted();
        }
        try {
            NativeRuntime.RunGuard run = call.beginRun();
            try {
                return session.embed(window.ids(), window.types(), 0, scratch, run)[0];
            } catch (OrtException e) {
                throw NativeRuntime.failure(name + " failed on a pair of " + window.ids().length + " tokens", e);
            } finally {
                call.endRun(run);
            }
        } finally {
            idle.add(scratch);
        }
    }

    /** Ends the calls in progress, which fail with {@link dev.pollux.CancelledException}, and frees the model. Idempotent. */
    @Override
    public void close() {
        if (pool.close()) {
            idle.forEach(EncoderSession.Scratch::close);
            session.close();
            tokenizer.close();
            handle.close();
        }
    }
}
