package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A {@code config.json} of the Llama family, in the spelling of transformers 4 ({@code rope_theta}, {@code rope_scaling}) or of
 * transformers 5 ({@code rope_parameters}).
 */
final class HubConfig {

    private static final int MAX = 1 << 24;

    private final Path file;
    private final JsonNode json;

    HubConfig(Path file, JsonNode json) {
        this.file = file;
        this.json = json;
    }

    ModelConfig read(String name, JsonNode generation) {
        String architecture = architecture();
        if (!architecture.equals("LlamaForCausalLM")) {
            throw new UnsupportedModelException(file + ": the architecture '" + architecture
                    + "' is not supported, only 'LlamaForCausalLM'; use a model of the Llama family");
        }
        if (json.path("quantization_config").isObject()) {
            throw new UnsupportedModelException(file + ": quantized weights ('"
                    + json.path("quantization_config").path("quant_method").asString("unknown")
                    + "') are not supported in this format; use the original model or a GGUF file");
        }
        String activation = json.path("hidden_act").asString("silu");
        if (!activation.equals("silu")) {
            throw new UnsupportedModelException(file + ": hidden_act must be silu but was " + activation);
        }
        int hidden = integer("hidden_size");
        int heads = integer("num_attention_heads");
        int context = integer("max_position_embeddings", 2048);
        JsonNode rope =
                json.path("rope_parameters").isObject() ? json.path("rope_parameters") : json.path("rope_scaling");
        if (number(rope, "partial_rotary_factor", number(json, "partial_rotary_factor", 1)) != 1) {
            throw new UnsupportedModelException(
                    file + ": partial_rotary_factor must be 1: rotation of a part of the" + " head is not supported");
        }
        int vocabulary = integer("vocab_size");
        return new ModelConfig(
                        architecture,
                        name,
                        hidden,
                        integer("num_hidden_layers"),
                        heads,
                        integer("num_key_value_heads", heads),
                        json.hasNonNull("head_dim") ? integer("head_dim") : ModelConfig.headDim(file, hidden, heads),
                        integer("intermediate_size"),
                        vocabulary,
                        context,
                        number(json, "rms_norm_eps", 1e-6),
                        number(rope, "rope_theta", number(json, "rope_theta", 10_000)),
                        scaling(rope, context),
                        json.path("tie_word_embeddings").asBoolean(false),
                        endTokens(vocabulary, generation))
                .check(file);
    }

    private String architecture() {
        String named = json.path("architectures").path(0).asString("");
        return named.isEmpty() && json.path("model_type").asString("").equals("llama") ? "LlamaForCausalLM" : named;
    }

    private RotaryScaling scaling(JsonNode rope, int context) {
        String type = rope.path("rope_type").asString(rope.path("type").asString("default"));
        double factor = positive(rope, "factor", 1);
        double original = positive(rope, "original_max_position_embeddings", context);
        return switch (type) {
            // Dynamic scaling changes nothing up to max_position_embeddings, which is where the context ends here.
            case "default", "dynamic" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(factor);
            case "llama3" ->
                new RotaryScaling.Llama3(
                        factor, positive(rope, "low_freq_factor", 1), positive(rope, "high_freq_factor", 4), original);
            case "yarn" ->
                new RotaryScaling.Yarn(
                        factor,
                        positive(rope, "beta_fast", 32),
                        positive(rope, "beta_slow", 1),
                        original,
                        rope.path("truncate").asBoolean(true),
                        yarnAttention(rope, factor));
            default ->
                throw new UnsupportedModelException(file + ": rotary scaling '" + type
                        + "' is not supported, only default, dynamic, linear, llama3 and yarn");
        };
    }

    private double yarnAttention(JsonNode rope, double factor) {
        if (rope.path("attention_factor").isNumber()) {
            return positive(rope, "attention_factor", 1);
        }
        double all = number(rope, "mscale_all_dim", 0);
        double scale = number(rope, "mscale", 0);
        if (all != 0 && scale != 0) {
            return yarnScale(factor, scale) / yarnScale(factor, all);
        }
        return yarnScale(factor, 1);
    }

    private static double yarnScale(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    /** Ids outside the vocabulary never occur and are left out. */
    private List<Integer> endTokens(int vocabulary, JsonNode generation) {
        TreeSet<Integer> ids = new TreeSet<>();
        for (JsonNode source : List.of(json, generation)) {
            JsonNode eos = source.path("eos_token_id");
            Stream.concat(Stream.of(eos), eos.valueStream())
                    .filter(id -> id.isInt() && id.asInt() >= 0 && id.asInt() < vocabulary)
                    .forEach(id -> ids.add(id.asInt()));
        }
        return List.copyOf(ids);
    }

    private int integer(String key) {
        JsonNode value = json.path(key);
        if (!value.isInt() || value.asInt() < 1 || value.asInt() > MAX) {
            throw new MalformedFileException(
                    file + ": " + key + " must be a whole number in [1, " + MAX + "] but was " + shown(value));
        }
        return value.asInt();
    }

    private int integer(String key, int fallback) {
        JsonNode value = json.path(key);
        return value.isMissingNode() || value.isNull() ? fallback : integer(key);
    }

    private double number(JsonNode node, String key, double fallback) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isNumber() || !Double.isFinite(value.asDouble())) {
            throw new MalformedFileException(file + ": " + key + " must be a number but was " + shown(value));
        }
        return value.asDouble();
    }

    private double positive(JsonNode node, String key, double fallback) {
        double value = number(node, key, fallback);
        if (value <= 0) {
            throw new MalformedFileException(file + ": " + key + " must be greater than 0 but was " + value);
        }
        return value;
    }

    private static String shown(JsonNode value) {
        String text = value.isMissingNode() ? "absent" : value.toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }
}
