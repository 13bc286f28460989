package dev.pollux.inference.engine;

import dev.pollux.generation.Generation;
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
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.internal.Opening;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A language model in this process, on ONNX Runtime.
 *
 * <p>A GGUF file or a Hugging Face folder is exported once into {@link EngineOptions#cache()} and loaded from there afterwards.
 * A folder written by {@link DecoderExport} or a ready-made ONNX decoder ({@link OnnxFolder}) is loaded directly.
 *
 * <pre>{@code
 * try (OnnxGenerator generator = OnnxGenerator.open(Path.of("model.gguf"))) {
 *     for (String delta : generator.stream(Prompt.chat(Message.user("Who are you?")), options)) {
 *         view.append(delta);
 *     }
 * }
 * }</pre>
 *
 * <p>Generation is deterministic for a given export, thread count and seed, and independent of earlier requests.
 * <em>Thread-safe</em>: concurrent streams share the weights, and each has its own cache.
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
        this.endTokens = Set.copyOf(prompts.endTokens());
    }

    /** Opens with {@link EngineOptions#DEFAULTS}; see {@link #openJob}. */
    public static OnnxGenerator open(Path path) {
        return open(path, EngineOptions.DEFAULTS);
    }

    /** Opens without reporting progress; see {@link #openJob}. */
    public static OnnxGenerator open(Path path, EngineOptions options) {
        return openJob(path, options).run();
    }

    /** Opens a checkpoint, which the caller continues to own; see {@link #openJob}. */
    public static OnnxGenerator open(Checkpoint checkpoint, EngineOptions options) {
        return open(checkpoint, options, System.nanoTime(), JobContext.NONE);
    }

    private static OnnxGenerator open(Checkpoint checkpoint, EngineOptions options, long begin, JobContext context) {
        return load(DecoderGraphs.exported(checkpoint, options, context), options, begin, context);
    }

    /**
     * Opens a GGUF file, a Hugging Face folder, an exported folder, or a ready-made ONNX decoder ({@link OnnxFolder}; its
     * folder, or the path of one of its ONNX files), as a job. The first time, a checkpoint is hashed and exported, which takes
     * seconds to minutes; the job reports progress by layer.
     *
     * @throws dev.pollux.StorageException from the job, if {@code path} does not exist
     * @throws dev.pollux.MalformedFileException from the job, if a file is damaged
     * @throws dev.pollux.UnsupportedModelException from the job, if the architecture or a tensor type is not supported, or the
     *     {@link EngineOptions#draft() draft model} has another tokenizer
     */
    public static Job<OnnxGenerator> openJob(Path path, EngineOptions options) {
        return Job.of("open", context -> {
            long begin = System.nanoTime();
            return load(DecoderGraphs.opened(path, options, context), options, begin, context);
        });
    }

    /**
     * Opens a model with the sum of LoRA adapters. Closing the result closes both. See {@link #openJob(Path, EngineOptions)}
     * and {@link #adapted(Map)}.
     *
     * @param adapters may be empty; otherwise {@link EngineOptions#adapters()} must be set
     */
    public static Job<Generator> openJob(Path path, Map<Path, Double> adapters, EngineOptions options) {
        return Job.of("open", context -> {
            OnnxGenerator model = context.run(openJob(path, options));
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
     * The number of parameters of a model, determined without opening it: from the headers of a checkpoint's files, or from the
     * manifest of an exported folder.
     *
     * @param path as for {@link #openJob}
     * @return empty for ready-made ONNX decoders, which do not state it
     * @throws dev.pollux.StorageException if {@code path} does not exist
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

    private static OnnxGenerator load(DecoderGraph graph, EngineOptions options, long begin, JobContext context) {
        Optional<DecoderGraph> draft = options.draft()
                .filter(path -> options.drafting())
                .map(path -> DecoderGraphs.opened(path, options, context));
        // one thread packs the weights of the session, and another reads tokenizer and template meanwhile
        Opening<PromptEncoder> texts =
                Opening.begin("open-texts", () -> PromptEncoder.open(graph), () -> {}, PromptEncoder::close);
        DecoderModel model;
        try {
            model = DecoderModel.open(graph, options);
        } catch (RuntimeException | Error e) {
            texts.get().close(); // an error of the texts comes first
            throw e;
        }
        try {
            PromptEncoder prompts = texts.get();
            try {
                draft.ifPresent(other -> model.draft(DraftModel.open(other, model, prompts)));
                return new OnnxGenerator(model, prompts, Duration.ofNanos(System.nanoTime() - begin));
            } catch (RuntimeException | Error e) {
                prompts.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /**
     * The same model with a LoRA adapter at its trained strength; see {@link #adapted(Map)}.
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
     * The same model with the sum of LoRA adapters: a generator that shares the weights. Any number of them can be open at
     * once, and a request selects the adapters by the generator that it is sent to. Closing the result leaves this generator
     * open; closing this generator closes the result.
     *
     * @param adapters folders in PEFT's format or GGUF files, each with a scale that multiplies its own α/r; 1 is the
     *     trained strength
     * @throws IllegalStateException if this was opened without {@link EngineOptions#adapters()}
     * @throws dev.pollux.StorageException if there is no adapter at a path
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if an adapter is for another model, or makes a change that cannot be
     *     added
     */
    public Generator adapted(Map<Path, Double> adapters) {
        return new AdaptedGenerator(this, model.load(adapters));
    }

    /**
     * The same model for one of several users or organisations that must not notice what others read: nothing that was computed for
     * other tenants is reused, so the time to the first token tells nothing about their texts. Any number can be open. Closing
     * the result does nothing; closing this generator closes it.
     *
     * @param name the host's name of the tenant, not empty; the same name shares
     */
    public Generator tenant(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("The name of a tenant must not be empty; use this generator itself");
        }
        return new TenantGenerator(this, new PrefixStore.Scope(model.none(), name));
    }

    /** What was read of the beginnings of texts: to keep, save and load them. */
    public PrefixCache prefixes() {
        return new PrefixCache(model, prompts);
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        return stream(prompt, options, model.scope());
    }

    GenerationStream stream(Prompt prompt, GenerationOptions options, PrefixStore.Scope scope) {
        FittedPrompt fitted = model.options().overflow() == ContextOverflow.REFUSE
                ? new FittedPrompt(prompts.encode(prompt), List.of())
                : FittedPrompt.of(prompt, room(options), prompts::encode);
        GenerationLoop.Request request = request(fitted.encoded().tokens(), options);
        return new DecoderStream(model, scope, prompts, fitted, request);
    }

    /** The tokens that a prompt may have if its answer is to have room. */
    private int room(GenerationOptions options) {
        int context = model.manifest().contextLength();
        return context - Math.min(options.maxTokens(), Math.max(1, context / 4));
    }

    private GenerationLoop.Request request(int[] ids, GenerationOptions options) {
        int context = model.manifest().contextLength();
        if (ids.length == 0) {
            throw new IllegalArgumentException("The prompt must hold at least one token but is empty");
        }
        if (ids.length >= context) {
            throw new IllegalArgumentException("The prompt has " + ids.length + " tokens, but the context of "
                    + model.manifest().name() + " holds " + context
                    + " and one must be left for the answer; shorten the prompt");
        }
        return new GenerationLoop.Request(ids, options, endTokens, context, load);
    }

    /**
     * Generates several answers to one prompt, which is computed once, one after the other.
     *
     * @param options the options of the first answer; if they have a seed, the next answers have the next seeds
     * @param count the number of answers, at least 1
     * @throws IllegalArgumentException if the prompt does not fit the model's context
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end
     */
    public List<Generation> generate(Prompt prompt, GenerationOptions options, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1 but was " + count);
        }
        request(prompts.encode(prompt).tokens(), options); // refuses what does not fit before anything is computed
        List<Generation> answers = new ArrayList<>();
        PrefixCache.Pin pin = prefixes().pin(prompt);
        try {
            for (int i = 0; i < count; i++) {
                GenerationOptions.Builder own = options.toBuilder();
                if (options.seed().isPresent()) {
                    own.seed(options.seed().getAsLong() + i);
                }
                answers.add(generate(prompt, own.build()));
            }
            return answers;
        } finally {
            pin.close();
        }
    }

    /**
     * Searches for the most probable texts after a prompt, with the prompt computed once.
     *
     * @param options the maximum and minimum number of tokens, penalties, biases and prohibitions; sampling has no place in a
     *     search, and stop strings are not looked for
     * @return at most {@link BeamOptions#results()} texts, best first
     * @throws IllegalArgumentException if the prompt does not fit the model's context
     * @throws dev.pollux.CancelledException if the thread is interrupted
     */
    public List<Hypothesis> search(Prompt prompt, BeamOptions search, GenerationOptions options) {
        GenerationLoop.Request request = request(prompts.encode(prompt).tokens(), options);
        Sampler.Vocabulary vocabulary =
                new Sampler.Vocabulary(model.manifest().vocabularySize(), endTokens, prompts::text);
        try (BeamSearch beams = new BeamSearch(model, search, request, vocabulary)) {
            return beams.run().stream()
                    .map(found -> new Hypothesis(text(found.tokens()), found.tokens(), found.score()))
                    .toList();
        }
    }

    private String text(List<Integer> tokens) {
        int end = tokens.isEmpty() || !endTokens.contains(tokens.get(tokens.size() - 1)) ? 0 : 1;
        int[] ids = tokens.stream()
                .limit(tokens.size() - end)
                .mapToInt(Integer::intValue)
                .toArray();
        return prompts.text(ids);
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

    PromptEncoder prompts() {
        return prompts;
    }

    /** The underlying model, for access to logits. It closes with this generator. */
    public DecoderModel model() {
        return model;
    }

    /** The name of the model, its context length, and whether it supports conversations. */
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
