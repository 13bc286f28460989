package dev.pollux.inference.engine;

import dev.pollux.artifact.ArtifactCache;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.internal.Sha256;
import dev.pollux.job.JobContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * What a generator has read of the beginnings of texts: system prompts, passages, conversations. A request whose prompt begins
 * like an earlier one computes only the rest of it; {@link dev.pollux.generation.Usage#cachedTokens()} counts what it found.
 *
 * <p>Beginnings are kept in blocks of 16 tokens up to {@link EngineOptions#prefixBytes()}; those that were used least recently,
 * and are cheapest to compute again, make room for others. They are shared between the requests of one generator only: not with those of
 * an adapter ({@link OnnxGenerator#adapted}) or of a tenant ({@link OnnxGenerator#tenant}). Outputs do not depend on what is
 * found. Graphs with recurrent states, with two sets of rotary tables, and ready-made graphs that copy their past keep nothing here.
 *
 * <pre>{@code
 * PrefixCache prefixes = generator.prefixes();
 * try (PrefixCache.Pin pin = prefixes.pin(Prompt.chat(Message.system(instructions)))) {
 *     prefixes.save(file); // prefixes.load(file) at the next start
 *     serve(generator);
 * }
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class PrefixCache {

    private final DecoderModel model;
    private final PromptEncoder prompts;

    PrefixCache(DecoderModel model, PromptEncoder prompts) {
        this.model = model;
        this.prompts = prompts;
    }

    /** A beginning that is kept until this is closed. Closing is idempotent. <em>Thread-safe.</em> */
    public static final class Pin implements AutoCloseable {
        private final DecoderModel model;
        private final int[] ids;
        private final int tokens;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Pin(DecoderModel model, int[] ids, int tokens) {
            this.model = model;
            this.ids = ids;
            this.tokens = tokens;
        }

        /** The number of leading tokens of the prompt that are kept: whole blocks, so up to 15 fewer than it has. */
        public int tokens() {
            return tokens;
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                model.prefixes().ifPresent(store -> store.unpin(ids, tokens, model.scope()));
            }
        }
    }

    /**
     * Reads a prompt, unless it has been read, and keeps its leading tokens whatever the budget, until the result is closed.
     *
     * @throws IllegalArgumentException if the prompt is empty or does not fit the model's context
     * @throws IllegalStateException if the generator is closed
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    public Pin pin(Prompt prompt) {
        PromptEncoder.Encoded encoded = prompts.encode(prompt);
        try (DecoderSequence sequence = model.acquire(encoded.tokens(), model.scope())) {
            int[] ids = encoded.tokens();
            sequence.pair(true);
            sequence.append(Arrays.copyOfRange(ids, sequence.length(), ids.length));
            int tokens = model.prefixes().map(sequence::pin).orElse(0);
            return new Pin(model, ids, tokens);
        }
    }

    /** Bytes of native memory in use. */
    public long bytes() {
        return model.prefixes().map(PrefixStore::bytes).orElse(0L);
    }

    /** Forgets everything that is not pinned. */
    public void clear() {
        model.prefixes().ifPresent(PrefixStore::clear);
    }

    /**
     * Writes everything that is kept to a file, which only its owner may read: it holds the texts in effect. An existing file
     * is replaced.
     *
     * @throws dev.pollux.StorageException if the file cannot be written
     */
    public void save(Path file) {
        model.prefixes().ifPresent(store -> file(store).write(file));
    }

    /**
     * Adds what {@link #save} wrote, as far as the budget has room. Nothing is added if the file is refused.
     *
     * @return the number of tokens that were added or were there
     * @throws dev.pollux.StorageException if the file does not exist or cannot be read
     * @throws dev.pollux.MalformedFileException if the file is damaged
     * @throws dev.pollux.UnsupportedModelException if it was written for another model, version of the runtime, kind of processor
     *     or chunk size
     */
    public int load(Path file) {
        return model.prefixes().map(store -> file(store).read(file)).orElse(0);
    }

    private PrefixFile file(PrefixStore store) {
        return new PrefixFile(store, model.scope(), identity(), model.manifest().vocabularySize());
    }

    /** A hash of everything that the bits of a row depend on. */
    private String identity() {
        DecoderGraph graph = model.graph();
        EngineOptions options = model.options();
        List<Path> files = Stream.of("", ".data")
                .map(suffix -> graph.file().resolveSibling(graph.file().getFileName() + suffix))
                .filter(Files::isRegularFile)
                .toList();
        boolean even;
        try (DecoderSequence sequence = model.sequence()) {
            even = sequence.isEven();
        }
        return Sha256.of(String.join(
                "\n",
                ArtifactCache.in(options.cache(), "").contentHash(files, JobContext.NONE),
                NativeRuntime.version(),
                options.device().toString(),
                MachineMemo.processor(),
                even ? "even rows" : "chunks of " + options.prefillChunk()));
    }
}
