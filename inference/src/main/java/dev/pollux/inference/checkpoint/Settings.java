package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model's configuration, with the names of Hugging Face's {@code config.json} and checked accessors.
 *
 * <p>A value of the wrong kind causes a {@link MalformedFileException} that names file, key, rule and value. JSON null is
 * treated as absent. <em>Immutable.</em>
 */
public final class Settings {

    private static final int MAX = 1 << 24;
    private static final int MOST_LISTED = 1 << 16;

    private final Path file;
    private final JsonNode json;

    Settings(Path file, JsonNode json) {
        this.file = file;
        this.json = json;
    }

    /** Empty settings, for a file whose configuration has another form. */
    static Settings none(Path file) {
        return new Settings(file, JsonNode.missing());
    }

    /** The file that contains the settings, for messages. */
    public Path file() {
        return file;
    }

    /** All settings as a JSON object. */
    public String toJson() {
        return json.isMissingNode() ? "{}" : json.toString();
    }

    /** Whether {@code key} has a value. */
    public boolean has(String key) {
        return json.hasNonNull(key);
    }

    /** The settings under {@code key}; empty if its value is not an object. */
    public Settings at(String key) {
        return new Settings(file, json.path(key).isObject() ? json.path(key) : JsonNode.missing());
    }

    /** Whether there are no settings. */
    public boolean isEmpty() {
        return json.isMissingNode() || json.isEmpty();
    }

    /** An integer in [1, 2^24]. */
    public int integer(String key) {
        JsonNode value = json.path(key);
        if (!isWhole(value) || value.asDouble() < 1 || value.asDouble() > MAX) {
            throw new MalformedFileException(
                    file + ": " + key + " must be a whole number in [1, " + MAX + "] but was " + shown(value));
        }
        return value.asInt();
    }

    /** Integers may be written with a fraction of 0. */
    private static boolean isWhole(JsonNode value) {
        return value.isNumber() && value.asDouble() == Math.rint(value.asDouble());
    }

    /** An integer in [1, 2^24], or {@code fallback} if it is absent. */
    public int integer(String key, int fallback) {
        return has(key) ? integer(key) : fallback;
    }

    /** An integer in [0, 2^24], or {@code fallback} if it is absent. */
    public int count(String key, int fallback) {
        return isWhole(json.path(key)) && json.path(key).asDouble() == 0 ? 0 : integer(key, fallback);
    }

    /** An integer in [1, 2^24] under the first of several keys that is present; if none is, the error names the first. */
    int firstInteger(List<String> keys) {
        return integer(keys.stream().filter(this::has).findFirst().orElse(keys.get(0)));
    }

    /** A finite number, or {@code fallback} if it is absent. */
    public double number(String key, double fallback) {
        if (!has(key)) {
            return fallback;
        }
        JsonNode value = json.path(key);
        if (!value.isNumber() || !Double.isFinite(value.asDouble())) {
            throw new MalformedFileException(file + ": " + key + " must be a number but was " + shown(value));
        }
        return value.asDouble();
    }

    /** A finite number above 0, or {@code fallback} if it is absent. */
    public double positive(String key, double fallback) {
        double value = number(key, fallback);
        if (value <= 0) {
            throw new MalformedFileException(file + ": " + key + " must be greater than 0 but was " + value);
        }
        return value;
    }

    /** A boolean, or {@code fallback} if it is absent. */
    public boolean flag(String key, boolean fallback) {
        if (!has(key)) {
            return fallback;
        }
        if (!json.path(key).isBoolean()) {
            throw new MalformedFileException(
                    file + ": " + key + " must be true or false but was " + shown(json.path(key)));
        }
        return json.path(key).asBoolean();
    }

    /** A string, or {@code fallback} if it is absent. */
    public String text(String key, String fallback) {
        if (!has(key)) {
            return fallback;
        }
        if (!json.path(key).isString()) {
            throw new MalformedFileException(file + ": " + key + " must be a text but was " + shown(json.path(key)));
        }
        return json.path(key).asString();
    }

    /** A list of strings; empty if it is absent. */
    public List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        for (JsonNode value : list(key)) {
            if (!value.isString()) {
                throw new MalformedFileException(file + ": " + key + " must hold texts but held " + shown(value));
            }
            texts.add(value.asString());
        }
        return texts;
    }

    /**
     * A list of numbers; empty if it is absent. It may contain infinity, bare as Python writes it or as an object as
     * transformers 5 writes it.
     */
    public List<Double> numbers(String key) {
        List<Double> numbers = new ArrayList<>();
        for (JsonNode value : list(key)) {
            JsonNode plain = value.isObject() ? value.path("__float__") : value;
            double number = plain.isNumber() || value.isObject() ? plain.asDouble(Double.NaN) : Double.NaN;
            if (Double.isNaN(number)) {
                throw new MalformedFileException(file + ": " + key + " must hold numbers but held " + shown(value));
            }
            numbers.add(number);
        }
        return numbers;
    }

    /** Whether the value of {@code key} is a list. */
    public boolean isList(String key) {
        return json.path(key).isArray();
    }

    /** The integers in a list, or a single one in place of a list; other values are ignored. */
    public List<Integer> ids(String key) {
        JsonNode value = json.path(key);
        return Stream.concat(Stream.of(value), value.valueStream())
                .filter(JsonNode::isInt)
                .map(JsonNode::asInt)
                .toList();
    }

    private JsonNode list(String key) {
        JsonNode value = json.path(key);
        if (has(key) && (!value.isArray() || value.size() > MOST_LISTED)) {
            throw new MalformedFileException(
                    file + ": " + key + " must be a list of at most " + MOST_LISTED + " but was " + shown(value));
        }
        return value;
    }

    private static String shown(JsonNode value) {
        String text = value.isMissingNode() ? "absent" : value.toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }
}
