package dev.pollux.inference.encoder.export;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.masked.MaskedAttention.Rotary;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/** Values of a {@code config.json}, each under the first of several spellings that is there. */
final class ConfigReader {

    private static final int MAX = 1 << 24;

    private final Path file;
    private final JsonNode json;

    ConfigReader(Path file, JsonNode json) {
        this.file = file;
        this.json = json;
    }

    Path file() {
        return file;
    }

    JsonNode node(String key) {
        return json.path(key);
    }

    private JsonNode first(String... keys) {
        return Stream.of(keys)
                .map(json::path)
                .filter(value -> !value.isMissingNode() && !value.isNull())
                .findFirst()
                .orElse(JsonNode.missing());
    }

    /** A whole number in [1, 2^24] that must be there. */
    int integer(String... keys) {
        JsonNode value = first(keys);
        if (!value.isInt() || value.asInt() < 1 || value.asInt() > MAX) {
            throw new MalformedFileException(
                    file + ": " + keys[0] + " must be a whole number in [1, " + MAX + "] but was " + shown(value));
        }
        return value.asInt();
    }

    /** A whole number in [−1, 2^24], or {@code fallback}. */
    int integerOr(int fallback, String... keys) {
        JsonNode value = first(keys);
        if (value.isMissingNode()) {
            return fallback;
        }
        if (!value.isInt() || value.asInt() < -1 || value.asInt() > MAX) {
            throw new MalformedFileException(
                    file + ": " + keys[0] + " must be a whole number in [-1, " + MAX + "] but was " + shown(value));
        }
        return value.asInt();
    }

    /** A finite number greater than 0, or {@code fallback}. */
    double positive(double fallback, String... keys) {
        return positive(first(keys), fallback, keys[0]);
    }

    private double positive(JsonNode value, double fallback, String key) {
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isNumber() || !(value.asDouble() > 0) || !Double.isFinite(value.asDouble())) {
            throw new MalformedFileException(
                    file + ": " + key + " must be a number greater than 0 but was " + shown(value));
        }
        return value.asDouble();
    }

    String text(String fallback, String... keys) {
        return first(keys).asString(fallback);
    }

    boolean flag(boolean fallback, String... keys) {
        return first(keys).asBoolean(fallback);
    }

    /** The strings of an array, or of a text with parts between bars. */
    List<String> texts(String key) {
        JsonNode value = json.path(key);
        if (value.isString()) {
            return Stream.of(value.asString().split("\\|")).map(String::strip).toList();
        }
        return value.valueStream().map(item -> item.asString("")).toList();
    }

    /** Width of a head where {@code head_dim} does not give it. */
    int headWidth(int hidden, int heads) {
        if (!first("head_dim").isMissingNode()) {
            return integer("head_dim");
        }
        if (hidden % heads != 0) {
            throw new MalformedFileException(
                    file + ": hidden_size must be a multiple of num_attention_heads, " + heads + ", but was " + hidden);
        }
        return hidden / heads;
    }

    /**
     * The kind of each layer: {@code layer_types}, or what {@code full} says of its index.
     *
     * @return (layers), whether a layer sees only a window
     */
    boolean[] sliding(int layers, IntPredicate full) {
        boolean[] sliding = new boolean[Math.min(layers, MAX)];
        List<String> types = texts("layer_types");
        if (!types.isEmpty() && types.size() != layers) {
            throw new MalformedFileException(
                    file + ": layer_types must name " + layers + " layers but names " + types.size());
        }
        for (int layer = 0; layer < layers; layer++) {
            String type = types.isEmpty() ? "" : types.get(layer);
            sliding[layer] = switch (type) {
                case "" -> !full.test(layer);
                case "full_attention" -> false;
                case "sliding_attention" -> true;
                default ->
                    throw new UnsupportedModelException(file + ": layer_types may name full_attention and"
                            + " sliding_attention but names '" + type + "'");
            };
        }
        return sliding;
    }

    /**
     * How positions turn, as transformers 5 ({@code rope_parameters}, by kind of layer where there are several) or
     * transformers 4 write it.
     *
     * @param kind {@code full_attention} or {@code sliding_attention}
     * @param thetaKeys where transformers 4 has the base
     */
    Rotary rotary(String kind, double theta, String... thetaKeys) {
        JsonNode rope = json.path("rope_parameters");
        if (rope.path(kind).isObject()) {
            rope = rope.path(kind);
        }
        boolean scaled = rope.isObject() || !kind.equals("sliding_attention");
        JsonNode scaling = rope.isObject() ? rope : scaled ? json.path("rope_scaling") : JsonNode.missing();
        double base = positive(rope.path("rope_theta"), positive(theta, thetaKeys), "rope_theta");
        String type = scaling.path("rope_type").asString(scaling.path("type").asString("default"));
        return new Rotary(base, scaling(type, scaling));
    }

    private RotaryScaling scaling(String type, JsonNode rope) {
        double factor = positive(rope.path("factor"), 1, "factor");
        double original = positive(
                rope.path("original_max_position_embeddings"),
                integer("max_position_embeddings", "n_positions"),
                "original_max_position_embeddings");
        return switch (type) {
            // Dynamic scaling changes nothing up to max_position_embeddings, where the table ends.
            case "default", "dynamic" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(factor);
            case "llama3" ->
                new RotaryScaling.Llama3(
                        factor,
                        positive(rope.path("low_freq_factor"), 1, "low_freq_factor"),
                        positive(rope.path("high_freq_factor"), 4, "high_freq_factor"),
                        original);
            case "yarn" ->
                new RotaryScaling.Yarn(
                        factor,
                        positive(rope.path("beta_fast"), 32, "beta_fast"),
                        positive(rope.path("beta_slow"), 1, "beta_slow"),
                        original,
                        rope.path("truncate").asBoolean(true),
                        positive(
                                rope.path("attention_factor"),
                                0.1 * Math.log(Math.max(1, factor)) + 1,
                                "attention_factor"));
            default ->
                throw new UnsupportedModelException(file + ": rotary scaling '" + type
                        + "' is not supported, only default, dynamic, linear, llama3 and yarn");
        };
    }

    UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(file + ": " + what);
    }

    private static String shown(JsonNode value) {
        String text = value.isMissingNode() ? "absent" : value.toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }
}
