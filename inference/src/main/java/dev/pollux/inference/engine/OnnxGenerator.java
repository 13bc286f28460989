package dev.pollux.inference.engine;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.OnnxFolder;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A language model in this process, on ONNX Runtime.
 *
 * <p>A GGUF file or a Hugging Face folder is exported once into {@link EngineOptions#cache()} and loaded from there ever
 * after; a folder that {@link DecoderExport} wrote, and a ready-made ONNX decoder ({@link OnnxFolder}), is loaded as it is.
 *
 * <pre>{@code
 * try (OnnxGenerator generator = OnnxGenerator.open(Path.of("model.gguf"))) {
 *     for (String delta : generator.stream(Prompt.chat(Message.user("Who are you?")), options)) {
 *         view.append(delta);
 *     }
 * }
 * }</pre>
 *
 * <p>Generation is deterministic for a given export, thread count and seed, whatever ran before. <em>Thread-safe</em>:
 * concurrent streams share the weights, each with its own cache.
 */
public final class OnnxGenerator implements Generator {

    private final DecoderModel model;
    private final PromptEncoder prompts;
    private final Duration load;
    private final Set<Integer> endTokens;
    private final AtomicBoolean closed = new AtomicBoolean();

    private OnnxGenerator(DecoderModel model, PromptEncoder prompts, Duration load) {
        this.model = model;
        this.prompts = prompts;
        this.load = load;
        this.endTokens = Set.copyOf(model.manifest().endTokens());
    }

    /** Opens with {@link EngineOptions#DEFAULTS}; see {@link #opening}. */
    public static OnnxGenerator open(Path path) {
        return open(path, EngineOptions.DEFAULTS);
    }

    /** Opens without showing progress; see {@link #opening}. */
    public static OnnxGenerator open(Path path, EngineOptions options) {
        return opening(path, options).run();
    }

    /** Opens an open checkpoint, which stays the caller's; see {@link #opening}. */
    public static OnnxGenerator open(Checkpoint checkpoint, EngineOptions options) {
        return open(checkpoint, options, System.nanoTime(), JobContext.NONE);
    }

    private static OnnxGenerator open(Checkpoint checkpoint, EngineOptions options, long begin, JobContext context) {
        return load(DecoderGraphs.exported(checkpoint, options, context), options, begin);
    }

    /**
     * Opens a GGUF file, a Hugging Face folder, an exported folder, or a ready-made ONNX decoder ({@link OnnxFolder}; its
     * folder, or the path of one of its ONNX files), as a job: the first time, a checkpoint is hashed and exported, which takes
     * seconds to minutes and reports layers.
     *
     * @throws dev.pollux.StorageException from the job, if there is nothing at {@code path}
     * @throws dev.pollux.MalformedFileException from the job, if a file is damaged
     * @throws dev.pollux.UnsupportedModelException from the job, if the architecture or a tensor type is not known
     */
    public static Job<OnnxGenerator> opening(Path path, EngineOptions options) {
        return Job.of("open", context -> {
            long begin = System.nanoTime();
            return load(DecoderGraphs.opened(path, options, context), options, begin);
        });
    }

    /**
     * Opens a model with the sum of LoRA adapters, which closes as one; see {@link #opening(Path, EngineOptions)} and {@link
     * #adapted(Map)}.
     *
     * @param adapters may be empty; where there are some, {@link EngineOptions#adapters()} must be set
     */
    public static Job<Generator> opening(Path path, Map<Path, Double> adapters, EngineOptions options) {
        return Job.of("open", context -> {
            OnnxGenerator model = context.run(opening(path, options));
            if (adapters.isEmpty()) {
                return model;
            }
            try {
                return new AdaptedModel(model, model.adapted(adapters));
            } catch (RuntimeException | Error e) {
                model.close();
                throw e;
            }
        });
    }

    /**
     * How many parameters a model has, without opening it: of a checkpoint the heads of its files are read, of an exported folder its
     * manifest.
     *
     * @param path as for {@link #opening}
     * @return empty for ready-made ONNX decoders, which do not say
     * @throws dev.pollux.StorageException if there is nothing at {@code path}
     * @throws dev.pollux.MalformedFileException if a file is damaged
     */
    public static OptionalLong parameters(Path path) {
        Optional<DecoderGraph> ready = DecoderGraph.ready(path);
        if (ready.isPresent()) {
            return ready.get().manifest().parameters();
        }
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return OptionalLong.of(checkpoint.parameters());
        }
    }

    private static OnnxGenerator load(DecoderGraph graph, EngineOptions options, long begin) {
        PromptEncoder prompts = PromptEncoder.open(graph);
        try {
            DecoderModel model = DecoderModel.open(graph.withEndTokens(prompts.endTokens()), options);
            return new OnnxGenerator(model, prompts, Duration.ofNanos(System.nanoTime() - begin));
        } catch (RuntimeException e) {
            prompts.close();
            throw e;
        }
    }

    /**
     * The same model with a LoRA adapter as it was trained; see {@link #adapted(Map)}.
     *
     * <pre>{@code
     * EngineOptions options = EngineOptions.builder().adapters(true).build();
     * try (OnnxGenerator base = OnnxGenerator.open(Path.of("model"), options);
     *         Generator formal = base.adapted(Path.of("formal-lora"));
     *         Generator brief = base.adapted(Path.of("brief-lora"))) {
     *     // three generators, one set of weights
     * }
     * }</pre>
     */
    public Generator adapted(Path adapter) {
        return adapted(Map.of(adapter, 1.0));
    }

    /**
     * The same model with the sum of LoRA adapters: a generator that shares the weights, so that any number stand beside this one
     * and each request chooses by the generator it asks. Closing it leaves this one open; closing this one closes it.
     *
     * @param adapters folders in PEFT's form or GGUF files, with the scale of each on top of its own α/r; 1 as it was trained
     * @throws IllegalStateException if this was opened without {@link EngineOptions#adapters()}
     * @throws dev.pollux.StorageException if there is no adapter at a path
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if an adapter is for another model, or changes what cannot be added
     */
    public Generator adapted(Map<Path, Double> adapters) {
        return new AdaptedGenerator(this, model.load(adapters));
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        return stream(prompt, options, model.none());
    }

    GenerationStream stream(Prompt prompt, GenerationOptions options, LoadedAdapter adapter) {
        PromptEncoder.Encoded encoded = prompts.encode(prompt);
        int[] ids = encoded.tokens();
        int context = model.manifest().contextLength();
        if (ids.length == 0) {
            throw new IllegalArgumentException("The prompt must hold at least one token but is empty");
        }
        if (ids.length >= context) {
            throw new IllegalArgumentException("The prompt has " + ids.length + " tokens, but the context of "
                    + model.manifest().name() + " holds " + context
                    + " and one must be left for the answer; shorten the prompt");
        }
        GenerationLoop.Request request = new GenerationLoop.Request(ids, options, endTokens, context, load);
        return new DecoderStream(model, adapter, prompts, encoded.channels(), request);
    }

    @Override
    public GeneratorInfo info() {
        DecoderManifest manifest = model.manifest();
        return new GeneratorInfo(
                manifest.name(),
                manifest.contextLength(),
                prompts.chat(),
                manifest.sampling().orElse(GenerationOptions.SAMPLED),
                manifest.parameters());
    }

    @Override
    public int countTokens(Prompt prompt) {
        return prompts.encode(prompt).tokens().length;
    }

    /** The model below, for logits instead of text; it closes with this generator. */
    public DecoderModel model() {
        return model;
    }

    /** The model's name, its context and whether it chats. */
    @Override
    public String toString() {
        GeneratorInfo info = info();
        return "OnnxGenerator[" + info.name() + ", context " + info.contextLength() + (info.chat() ? ", chat" : "")
                + (closed.get() ? ", closed" : "") + "]";
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            model.close();
            prompts.close();
        }
    }
}
