package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** A Hugging Face folder; {@code config.json} as transformers 4 and as transformers 5 writes it. */
final class FolderCheckpoint extends Checkpoint {

    private static final long MAX_JSON = 64L << 20;

    private final ModelConfig config;
    private final TensorFile tensors;

    FolderCheckpoint(Path path) {
        super(path);
        JsonNode json = json("config.json")
                .orElseThrow(() ->
                        new MalformedFileException(path + " has no config.json; it is not the folder of a model"));
        this.config = read(json);
        this.tensors = SafetensorsFolder.open(path);
    }

    private ModelConfig read(JsonNode json) {
        String architecture = json.path("architectures").path(0).asString("");
        if (!architecture.equals("LlamaForCausalLM")) {
            throw new UnsupportedModelException(path() + ": the architecture '" + architecture
                    + "' is not supported, only 'LlamaForCausalLM'; use a model of the Llama family");
        }
        String activation = json.path("hidden_act").asString("silu");
        if (!activation.equals("silu")) {
            throw new UnsupportedModelException(path() + ": hidden_act must be silu but was " + activation);
        }
        int hidden = integer(json, "hidden_size");
        int heads = integer(json, "num_attention_heads");
        int keyValueHeads = json.path("num_key_value_heads").asInt(heads);
        int headDim = json.path("head_dim").asInt(heads == 0 ? 0 : hidden / heads);
        if (heads < 1 || keyValueHeads < 1 || heads % keyValueHeads != 0 || headDim < 2) {
            throw new MalformedFileException(path() + "/config.json: heads " + heads + ", key/value heads "
                    + keyValueHeads + " and head width " + headDim + " do not fit together");
        }
        int context = json.path("max_position_embeddings").asInt(2048);
        JsonNode rope =
                json.path("rope_parameters").isObject() ? json.path("rope_parameters") : json.path("rope_scaling");
        double theta = rope.path("rope_theta").asDouble(json.path("rope_theta").asDouble(10_000));
        return new ModelConfig(
                architecture,
                json.path("_name_or_path")
                        .asString(path().toAbsolutePath().getFileName().toString()),
                hidden,
                integer(json, "num_hidden_layers"),
                heads,
                keyValueHeads,
                headDim,
                integer(json, "intermediate_size"),
                integer(json, "vocab_size"),
                context,
                json.path("rms_norm_eps").asDouble(1e-6),
                theta,
                scaling(rope, context),
                json.path("tie_word_embeddings").asBoolean(false),
                endTokens(json));
    }

    private RotaryScaling scaling(JsonNode rope, int context) {
        String type = rope.path("rope_type").asString(rope.path("type").asString("default"));
        double factor = rope.path("factor").asDouble(1);
        double original = rope.path("original_max_position_embeddings").asDouble(context);
        return switch (type) {
            // Dynamic scaling changes nothing up to max_position_embeddings, which is where the context ends here.
            case "default", "dynamic" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(factor);
            case "llama3" ->
                new RotaryScaling.Llama3(
                        factor,
                        rope.path("low_freq_factor").asDouble(1),
                        rope.path("high_freq_factor").asDouble(4),
                        original);
            case "yarn" ->
                new RotaryScaling.Yarn(
                        factor,
                        rope.path("beta_fast").asDouble(32),
                        rope.path("beta_slow").asDouble(1),
                        original,
                        rope.path("truncate").asBoolean(true),
                        yarnAttention(rope, factor));
            default ->
                throw new UnsupportedModelException(path() + "/config.json: rotary scaling '" + type
                        + "' is not supported, only default, dynamic, linear, llama3 and yarn");
        };
    }

    private static double yarnAttention(JsonNode rope, double factor) {
        if (rope.path("attention_factor").isNumber()) {
            return rope.path("attention_factor").asDouble();
        }
        double all = rope.path("mscale_all_dim").asDouble(0);
        double scale = rope.path("mscale").asDouble(0);
        if (all != 0 && scale != 0) {
            return yarnScale(factor, scale) / yarnScale(factor, all);
        }
        return yarnScale(factor, 1);
    }

    private static double yarnScale(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    private List<Integer> endTokens(JsonNode config) {
        TreeSet<Integer> ids = new TreeSet<>();
        for (JsonNode source : List.of(config, json("generation_config.json").orElse(config))) {
            JsonNode eos = source.path("eos_token_id");
            if (eos.isInt()) {
                ids.add(eos.asInt());
            }
            eos.forEach(id -> ids.add(id.asInt()));
        }
        return List.copyOf(ids);
    }

    private int integer(JsonNode json, String key) {
        JsonNode value = json.path(key);
        if (!value.isInt() || value.asInt() < 1 || value.asInt() > 1 << 24) {
            throw new MalformedFileException(
                    path() + "/config.json: " + key + " must be a whole number in [1, 16777216] but was " + value);
        }
        return value.asInt();
    }

    private Optional<JsonNode> json(String name) {
        return text(name).map(text -> {
            try {
                return JsonMapper.shared().readTree(text);
            } catch (JacksonException e) {
                throw new MalformedFileException(path().resolve(name) + " is not JSON: " + e.getOriginalMessage(), e);
            }
        });
    }

    private Optional<String> text(String name) {
        Path file = path().resolve(name);
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_JSON) {
                throw new MalformedFileException(file + " must be at most " + MAX_JSON + " bytes");
            }
            return Optional.of(Files.readString(file));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
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
        Path file = path().resolve("tokenizer.json");
        return Files.isRegularFile(file) ? Optional.of(Tokenizer.open(file)) : Optional.empty();
    }

    @Override
    public Optional<String> chatTemplate() {
        Optional<String> own = text("chat_template.jinja");
        if (own.isPresent()) {
            return own;
        }
        JsonNode template = json("tokenizer_config.json")
                .map(json -> json.path("chat_template"))
                .orElse(null);
        if (template == null) {
            return Optional.empty();
        }
        if (template.isArray()) { // [{name, template}, …]
            return template.valueStream()
                    .filter(entry -> entry.path("name").asString("").equals("default"))
                    .map(entry -> entry.path("template").asString(""))
                    .findFirst();
        }
        return template.isString() ? Optional.of(template.asString()) : Optional.empty();
    }

    @Override
    public SpecialTokens specialTokens() {
        return new SpecialTokens(token("bos_token"), token("eos_token"));
    }

    /** A token as its text, or as an object with its text in {@code content}. */
    private String token(String key) {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            JsonNode token = json(name).map(json -> json.path(key)).orElse(MissingNode.getInstance());
            String text = token.isObject() ? token.path("content").asString("") : token.asString("");
            if (!text.isEmpty()) {
                return text;
            }
        }
        return "";
    }

    @Override
    public List<Path> files() {
        try (Stream<Path> files = Files.list(path())) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + path() + ": " + e, e);
        }
    }

    @Override
    public void close() {
        tensors.close();
    }
}
