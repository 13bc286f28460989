package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.TensorFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** A GGUF file with its metadata read as a configuration. */
final class GgufCheckpoint extends Checkpoint {

    private final GgufFile file;
    private final ModelConfig config;
    private final TensorFile tensors;

    GgufCheckpoint(Path path) {
        super(path);
        this.file = GgufFile.open(path);
        try {
            String architecture =
                    file.string("general.architecture").orElseThrow(() -> missing("general.architecture"));
            if (!architecture.equals("llama")) {
                throw new UnsupportedModelException(path + ": the architecture '" + architecture
                        + "' is not supported, only 'llama'; use a model of the Llama family");
            }
            this.config = read(architecture);
            this.tensors = new GgufTensors(file, config);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private ModelConfig read(String architecture) {
        String prefix = architecture + ".";
        int hidden = integer(prefix + "embedding_length");
        int heads = integer(prefix + "attention.head_count");
        if (heads < 1 || hidden < 1) {
            throw new MalformedFileException(
                    path() + ": width " + hidden + " and heads " + heads + " must be at least 1");
        }
        int vocabulary = Optional.ofNullable(file.tensors().get("token_embd.weight"))
                .filter(info -> info.shape().size() == 2)
                .map(info -> info.dim(0))
                .orElseThrow(() -> missing("token_embd.weight"));
        int headDim = file.integer(prefix + "attention.key_length")
                .map(Math::toIntExact)
                .orElse(hidden / heads);
        return new ModelConfig(
                "LlamaForCausalLM",
                file.string("general.name").orElse(path().getFileName().toString()),
                hidden,
                integer(prefix + "block_count"),
                heads,
                file.integer(prefix + "attention.head_count_kv")
                        .map(Math::toIntExact)
                        .orElse(heads),
                headDim,
                integer(prefix + "feed_forward_length"),
                vocabulary,
                integer(prefix + "context_length"),
                file.number(prefix + "attention.layer_norm_rms_epsilon").orElse(1e-5),
                file.number(prefix + "rope.freq_base").orElse(10_000.0),
                scaling(prefix),
                !file.tensors().containsKey("output.weight"),
                endTokens());
    }

    private RotaryScaling scaling(String prefix) {
        if (file.tensors().containsKey("rope_freqs.weight")) {
            return new RotaryScaling.Factors(file.floats("rope_freqs.weight"));
        }
        double factor = file.number(prefix + "rope.scaling.factor").orElse(1.0);
        String type = file.string(prefix + "rope.scaling.type").orElse("none");
        return switch (type) {
            case "none" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(factor);
            case "yarn" ->
                new RotaryScaling.Yarn(
                        factor,
                        32,
                        1,
                        integer(prefix + "rope.scaling.original_context_length"),
                        true,
                        0.1 * Math.log(factor) + 1);
            default ->
                throw new UnsupportedModelException(
                        path() + ": rotary scaling '" + type + "' is not supported, only none, linear and yarn");
        };
    }

    private List<Integer> endTokens() {
        TreeSet<Integer> ids = new TreeSet<>();
        for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            file.integer("tokenizer.ggml." + key).ifPresent(id -> ids.add(Math.toIntExact(id)));
        }
        return List.copyOf(ids);
    }

    private int integer(String key) {
        long value = file.integer(key).orElseThrow(() -> missing(key));
        if (value < 0 || value > 1 << 24) {
            throw new MalformedFileException(path() + ": " + key + " must be in [0, 16777216] but was " + value);
        }
        return (int) value;
    }

    private MalformedFileException missing(String key) {
        return new MalformedFileException(path() + " has no " + key + "; it is not a language model, or damaged");
    }

    @Override
    public ModelConfig config() {
        return config;
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
