package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A GGUF file with its metadata read as a configuration. */
final class GgufCheckpoint extends Checkpoint {

    private static final String PREFIX = "llama.";
    private static final int MAX = 1 << 24;
    private static final Long CONTROL = 3L;
    private static final Set<Object> TURN_ENDS = Set.of(
            "<|eot_id|>",
            "<|im_end|>",
            "<|end|>",
            "<end_of_turn>",
            "<|endoftext|>",
            "<|end_of_text|>",
            "<|eom_id|>",
            "<EOT>",
            "[EOT]");

    private final GgufFile file;
    private final ModelConfig config;
    private final TensorFile tensors;

    GgufCheckpoint(Path path) {
        super(path);
        this.file = GgufFile.open(path);
        try {
            this.config = read();
            this.tensors = new GgufTensors(file, config);
            LlamaLayout.check(path, config, tensors);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private ModelConfig read() {
        requireLlama();
        int hidden = integer("embedding_length");
        int heads = integer("attention.head_count");
        int vocabulary = Optional.ofNullable(file.tensors().get("token_embd.weight"))
                .filter(info -> info.shape().size() == 2)
                .map(info -> info.dim(0))
                .orElseThrow(() -> missing("token_embd.weight"));
        int headDim = integer("attention.key_length", -1);
        return new ModelConfig(
                        "LlamaForCausalLM",
                        file.string("general.name").orElse(path().getFileName().toString()),
                        hidden,
                        integer("block_count"),
                        heads,
                        integer("attention.head_count_kv", heads),
                        requireWholeRotation(headDim < 0 ? ModelConfig.headDim(path(), hidden, heads) : headDim),
                        integer("feed_forward_length"),
                        vocabulary,
                        integer("context_length"),
                        number("attention.layer_norm_rms_epsilon", 1e-5),
                        number("rope.freq_base", 10_000),
                        scaling(headDim < 0 ? hidden / heads : headDim),
                        !file.tensors().containsKey("output.weight"),
                        endTokens(vocabulary))
                .check(path());
    }

    private void requireLlama() {
        String architecture = file.string("general.architecture").orElseThrow(() -> missing("general.architecture"));
        if (!architecture.equals("llama")) {
            throw new UnsupportedModelException(path() + ": the architecture '" + architecture
                    + "' is not supported, only 'llama'; use a model of the Llama family");
        }
        if (file.integer("split.count").orElse(1L) > 1) {
            throw new UnsupportedModelException(path() + " is one of "
                    + file.integer("split.count").get() + " parts; join them into one file first");
        }
        for (String key :
                List.of("expert_count", "logit_scale", "residual_scale", "embedding_scale", "attention.scale")) {
            double value = number(key, 0);
            if (value != 0 && (value != 1 || key.equals("attention.scale"))) {
                throw new UnsupportedModelException(path() + ": " + PREFIX + key + " " + value
                        + " is not supported; use a dense model of the Llama family");
            }
        }
    }

    /** The head's width, if all of it is rotated and values are as wide as keys. */
    private int requireWholeRotation(int headDim) {
        for (String key : List.of("rope.dimension_count", "attention.value_length")) {
            int other = integer(key, headDim);
            if (other != headDim) {
                throw new UnsupportedModelException(path() + ": " + PREFIX + key + " " + other
                        + " must equal the head width " + headDim + "; nothing else is supported yet");
            }
        }
        return headDim;
    }

    private RotaryScaling scaling(int headDim) {
        String type = file.string(PREFIX + "rope.scaling.type").orElse("");
        double factor = number("rope.scaling.factor", number("rope.scale_linear", 1));
        if (type.isEmpty()) {
            type = factor == 1 ? "none" : "linear";
        }
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new MalformedFileException(path() + ": the rotary factor must be above 0 but was " + factor);
        }
        if (file.tensors().containsKey("rope_freqs.weight")) {
            return factors(headDim, type);
        }
        return switch (type) {
            case "none" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(factor);
            case "yarn" ->
                new RotaryScaling.Yarn(
                        factor,
                        number("rope.scaling.yarn_beta_fast", 32),
                        number("rope.scaling.yarn_beta_slow", 1),
                        integer("rope.scaling.original_context_length", integer("context_length")),
                        true,
                        number("rope.scaling.attn_factor", 1) * (0.1 * Math.log(Math.max(1, factor)) + 1));
            default -> throw unsupportedScaling(type);
        };
    }

    private RotaryScaling factors(int headDim, String type) {
        if (!type.equals("none")) {
            throw unsupportedScaling(type + "' together with 'rope_freqs.weight");
        }
        TensorInfo info = file.info("rope_freqs.weight");
        if (info.elements() != headDim / 2) {
            throw new MalformedFileException(path() + ": rope_freqs.weight must have " + headDim / 2
                    + " elements, one for each pair, but has " + info.elements());
        }
        List<Float> factors = new ArrayList<>();
        for (float factor : file.floats("rope_freqs.weight")) {
            if (!(factor > 0 && factor < Float.POSITIVE_INFINITY)) {
                throw new MalformedFileException(
                        path() + ": rope_freqs.weight must hold numbers above 0 but held " + factor);
            }
            factors.add(factor);
        }
        return new RotaryScaling.Factors(factors);
    }

    private UnsupportedModelException unsupportedScaling(String type) {
        return new UnsupportedModelException(
                path() + ": rotary scaling '" + type + "' is not supported, only none, linear and yarn");
    }

    /**
     * The ends the metadata names, and control tokens that chat models end a turn with: converted files often name only one.
     * Ids outside the vocabulary never occur and are left out.
     */
    private List<Integer> endTokens(int vocabulary) {
        TreeSet<Integer> ids = new TreeSet<>();
        List<?> tokens = file.array("tokenizer.ggml.tokens").orElse(List.of());
        List<?> types = file.array("tokenizer.ggml.token_type").orElse(List.of());
        for (int id = 0; id < Math.min(vocabulary, Math.min(tokens.size(), types.size())); id++) {
            if (TURN_ENDS.contains(tokens.get(id)) && types.get(id).equals(CONTROL)) {
                ids.add(id);
            }
        }
        for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            file.integer("tokenizer.ggml." + key)
                    .filter(id -> id >= 0 && id < vocabulary)
                    .ifPresent(id -> ids.add(id.intValue()));
        }
        return List.copyOf(ids);
    }

    private int integer(String key) {
        long value = file.integer(PREFIX + key).orElseThrow(() -> missing(PREFIX + key));
        if (value < 0 || value > MAX) {
            throw new MalformedFileException(
                    path() + ": " + PREFIX + key + " must be in [0, " + MAX + "] but was " + value);
        }
        return (int) value;
    }

    private int integer(String key, int fallback) {
        return file.metadata().containsKey(PREFIX + key) ? integer(key) : fallback;
    }

    private double number(String key, double fallback) {
        return file.number(PREFIX + key).orElse(fallback);
    }

    private MalformedFileException missing(String key) {
        return new MalformedFileException(path() + " has no " + key + "; it is not a language model, or damaged");
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public Settings settings() {
        return Settings.none(path());
    }

    @Override
    public TensorFile tensors() {
        return tensors;
    }

    @Override
    public Optional<Tokenizer> tokenizer() {
        return file.metadata().containsKey("tokenizer.ggml.model")
                ? Optional.of(Tokenizer.ofGguf(path().toString(), file.metadata()))
                : Optional.empty();
    }

    @Override
    public Optional<String> chatTemplate() {
        return file.string("tokenizer.chat_template");
    }

    @Override
    public SpecialTokens specialTokens() {
        return new SpecialTokens(token("bos_token_id"), token("eos_token_id"));
    }

    private String token(String key) {
        long id = file.integer("tokenizer.ggml." + key).orElse(-1L);
        List<?> tokens = file.array("tokenizer.ggml.tokens").orElse(List.of());
        return id >= 0 && id < tokens.size() ? String.valueOf(tokens.get((int) id)) : "";
    }

    @Override
    public List<Path> files() {
        return List.of(path());
    }

    @Override
    public void close() {
        file.close();
    }
}
