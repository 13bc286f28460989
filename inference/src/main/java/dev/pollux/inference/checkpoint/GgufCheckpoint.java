package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.inference.tokenizer.TurnEnds;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A GGUF file whose metadata supplies the configuration. */
final class GgufCheckpoint extends Checkpoint {

    private static final int MAX = 1 << 24;

    private final GgufFile file;
    private final String prefix;
    private final ModelConfig config;
    private final Settings settings;
    private final TensorFile tensors;

    GgufCheckpoint(Path path) {
        super(path);
        this.file = GgufFile.open(path);
        try {
            String architecture =
                    file.string("general.architecture").orElseThrow(() -> missing("general.architecture"));
            this.prefix = architecture + ".";
            GgufFamily family = family(architecture);
            this.config = read(family);
            int predictors = integer("nextn_predict_layers", 0);
            this.tensors = new GgufTensors(file, config.headDim(), family, config.layers(), predictors);
            if (family.equals(GgufFamilies.LLAMA)) {
                requirePlainLlama();
                this.settings = Settings.none(path);
                LlamaLayout.check(path, config, tensors);
            } else {
                this.settings = new GgufSettings(path, file, prefix, config).read(family);
            }
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private ModelConfig read(GgufFamily family) {
        int hidden = integer("embedding_length");
        int heads = integer("attention.head_count");
        int vocabulary = Optional.ofNullable(file.tensors().get("token_embd.weight"))
                .filter(info -> info.shape().size() == 2)
                .map(info -> info.dim(0))
                .orElseThrow(() -> missing("token_embd.weight"));
        int headDim = integer("attention.key_length", -1);
        return new ModelConfig(
                        family.architecture(),
                        file.string("general.name").orElse(path().getFileName().toString()),
                        hidden,
                        integer("block_count") - integer("nextn_predict_layers", 0),
                        heads,
                        keyValueHeads(heads, hidden),
                        headDim(hidden, heads, headDim),
                        most("feed_forward_length"),
                        vocabulary,
                        integer("context_length"),
                        number("attention.layer_norm_rms_epsilon", 1e-5),
                        number("rope.freq_base", 10_000),
                        family.equals(GgufFamilies.LLAMA)
                                ? scaling(headDim < 0 ? hidden / heads : headDim)
                                : new RotaryScaling.None(),
                        !file.tensors().containsKey("output.weight"))
                .check(path());
    }

    private int headDim(int hidden, int heads, int stated) {
        if (stated >= 0 || heads == 0 && file.metadata().containsKey(prefix + "ssm.inner_size")) {
            return Math.max(0, stated);
        }
        return ModelConfig.headDim(path(), hidden, heads);
    }

    /** A single number, or the maximum of one number per layer; 0 if absent. */
    private int most(String key) {
        if (!(file.metadata().get(prefix + key) instanceof List<?> each)) {
            return integer(key);
        }
        long most = 0;
        for (Object one : each) {
            most = Math.max(most, one instanceof Long number ? number : -1);
        }
        if (most > MAX) {
            throw new MalformedFileException(
                    path() + ": " + prefix + key + " must be in [0, " + MAX + "] but was " + most);
        }
        return (int) most;
    }

    private GgufFamily family(String architecture) {
        GgufFamily family = GgufFamilies.named(architecture);
        if (family == null) {
            throw new UnsupportedModelException(
                    path() + ": the architecture '" + architecture + "' is not supported, only " + GgufFamilies.known()
                            + "; use another model, or its Hugging Face folder");
        }
        if (family.equals(GgufFamilies.LLAMA) && number("expert_count", 0) > 0) {
            return GgufFamilies.MIXTRAL;
        }
        if (architecture.equals("mamba") && Boolean.TRUE.equals(file.metadata().get(prefix + "ssm.dt_b_c_rms"))) {
            return GgufMixers.FALCON_MAMBA;
        }
        if (architecture.equals("deepseek2") && routesBySoftmax()) {
            return GgufFamilies.DEEPSEEK_V2;
        }
        boolean slides = file.metadata().containsKey(prefix + "attention.sliding_window");
        return architecture.equals("olmo2") && slides ? GgufFamilies.OLMO_3 : family;
    }

    /** Older files lack the key: in those, only the routers of V3 have a bias. */
    private boolean routesBySoftmax() {
        double gating = number("expert_gating_func", 0);
        return gating == 0
                ? file.tensors().keySet().stream().noneMatch(name -> name.endsWith(".exp_probs_b.bias"))
                : gating == 1;
    }

    private void requirePlainLlama() {
        for (String key : List.of("logit_scale", "residual_scale", "embedding_scale", "attention.scale")) {
            double value = number(key, 0);
            if (value != 0 && (value != 1 || key.equals("attention.scale"))) {
                throw new UnsupportedModelException(path() + ": " + prefix + key + " " + value
                        + " is not supported; use a dense model of the Llama family");
            }
        }
        for (String key : List.of("rope.dimension_count", "attention.value_length")) {
            int other = integer(key, config.headDim());
            if (other != config.headDim()) {
                throw new UnsupportedModelException(path() + ": " + prefix + key + " " + other
                        + " must equal the head width " + config.headDim() + "; nothing else is supported yet");
            }
        }
    }

    /** A single number, or one per layer, which is 0 for a layer without attention. */
    private int keyValueHeads(int heads, int hidden) {
        Object value = file.metadata().get(prefix + "attention.head_count_kv");
        if (!(value instanceof List<?> each)) {
            return integer("attention.head_count_kv", heads);
        }
        Set<Object> counts = new HashSet<>(each);
        counts.remove(0L);
        if (counts.isEmpty()) { // some converters write this for hybrids; the rows of the keys give the number
            return file.tensors().values().stream()
                    .filter(info -> info.name().endsWith(".attn_k.weight")
                            && info.shape().size() == 2)
                    .findFirst()
                    .map(info ->
                            info.dim(0) / Math.max(1, integer("attention.key_length", hidden / Math.max(1, heads))))
                    .orElse(heads);
        }
        boolean byKind = prefix.equals("gemma4."); // whose kinds of layers have different counts
        if (counts.size() != 1 && !byKind
                || !(counts.iterator().next() instanceof Long count)
                || count < 1
                || count > MAX) {
            throw new UnsupportedModelException(path() + ": " + prefix
                    + "attention.head_count_kv must be one number for" + " all layers that attend but was " + each);
        }
        return byKind ? heads : count.intValue();
    }

    private RotaryScaling scaling(int headDim) {
        String type = file.string(prefix + "rope.scaling.type").orElse("");
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

    private int integer(String key) {
        long value = file.integer(prefix + key).orElseThrow(() -> missing(prefix + key));
        if (value < 0 || value > MAX) {
            throw new MalformedFileException(
                    path() + ": " + prefix + key + " must be in [0, " + MAX + "] but was " + value);
        }
        return (int) value;
    }

    private int integer(String key, int fallback) {
        return file.metadata().containsKey(prefix + key) ? integer(key) : fallback;
    }

    private double number(String key, double fallback) {
        return file.number(prefix + key).orElse(fallback);
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
        return settings;
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
    public List<Integer> endTokens() {
        Map<String, Integer> vocabulary = new HashMap<>();
        List<?> tokens = file.array("tokenizer.ggml.tokens").orElse(List.of());
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(String.valueOf(tokens.get(id)), id);
        }
        List<Integer> named = new ArrayList<>();
        for (String key : TurnEnds.GGUF_KEYS) {
            file.integer(key).filter(id -> id <= MAX).ifPresent(id -> named.add(id.intValue()));
        }
        return config.known(TurnEnds.of(
                named,
                List.of(),
                token -> vocabulary.containsKey(token) ? OptionalInt.of(vocabulary.get(token)) : OptionalInt.empty()));
    }

    @Override
    public Optional<GenerationOptions> sampling() {
        return PublishedSampling.ofGguf(file.metadata());
    }

    @Override
    public List<Path> files() {
        return file.files();
    }

    @Override
    public void close() {
        file.close();
    }
}
