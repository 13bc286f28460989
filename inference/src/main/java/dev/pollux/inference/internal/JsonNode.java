package dev.pollux.inference.internal;

import dev.pollux.MalformedFileException;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value as a tree. Model files, manifests and responses of hubs are read and written in this form.
 *
 * <p>Parsing follows Python's {@code json}: {@code NaN}, {@code Infinity} and {@code -Infinity} are numbers, the last value
 * of a repeated key wins, and keys keep their order. Limits: nesting 500 levels, a number 1,000 characters, a name 50,000
 * characters. A parsed number is written with its original characters.
 *
 * <p>{@link #path} never fails: it returns a {@linkplain #isMissingNode() missing node} if there is no value, so calls can
 * be chained. The {@code as} methods convert values: missing or null becomes 0, false or the empty string; a number in a
 * string is parsed; a fraction is truncated; any other value throws {@link MalformedFileException}. With a fallback, the
 * fallback is returned in all these cases instead. <em>Not thread-safe while it is changed.</em>
 */
public abstract sealed class JsonNode implements Iterable<JsonNode> permits ObjectNode, ArrayNode, ValueNode {

    JsonNode() {}

    /**
     * The value in {@code text}.
     *
     * @throws MalformedFileException if it is not JSON
     */
    public static JsonNode parse(String text) {
        return parse(text, "The text");
    }

    /**
     * The value in {@code text}.
     *
     * @param source named in the error
     * @throws MalformedFileException if it is not JSON
     */
    public static JsonNode parse(String text, String source) {
        return JsonReader.read(text, source);
    }

    /** The value in UTF-8 bytes; {@code source} is named in the error. */
    public static JsonNode parse(byte[] utf8, String source) {
        return JsonReader.read(utf8, source);
    }

    /**
     * Converts a Java value to a tree: maps, collections, strings, numbers, booleans, null, and trees.
     *
     * @throws IllegalArgumentException if a value has another type
     */
    public static JsonNode of(@Nullable Object value) {
        if (value instanceof JsonNode node) {
            return node;
        }
        if (value instanceof Map<?, ?> map) {
            ObjectNode object = new ObjectNode();
            map.forEach((key, element) -> object.set(String.valueOf(key), of(element)));
            return object;
        }
        if (value instanceof Collection<?> elements) {
            ArrayNode array = new ArrayNode();
            elements.forEach(element -> array.add(of(element)));
            return array;
        }
        return ValueNode.plain(value);
    }

    /** The missing node. */
    public static JsonNode missing() {
        return ValueNode.MISSING;
    }

    /** The value under {@code key}, or a missing node. */
    public JsonNode path(String key) {
        return missing();
    }

    /** The element at {@code index}, or a missing node. */
    public JsonNode path(int index) {
        return missing();
    }

    /** The value under {@code key}, or null if there is none. */
    public @Nullable JsonNode get(String key) {
        JsonNode value = path(key);
        return value.isMissingNode() ? null : value;
    }

    /** The element at {@code index}, or null if there is none. */
    public @Nullable JsonNode get(int index) {
        JsonNode value = path(index);
        return value.isMissingNode() ? null : value;
    }

    /** Whether there is a value under {@code key}, including null. */
    public boolean has(String key) {
        return !path(key).isMissingNode();
    }

    /** Whether there is a value other than null under {@code key}. */
    public boolean hasNonNull(String key) {
        JsonNode value = path(key);
        return !value.isMissingNode() && !value.isNull();
    }

    /** The number of elements of an array or members of an object; else 0. */
    public int size() {
        return 0;
    }

    /** Whether {@link #size()} is 0. */
    public boolean isEmpty() {
        return size() == 0;
    }

    /** The members of an object in order; else none. */
    public Set<Map.Entry<String, JsonNode>> properties() {
        return Set.of();
    }

    /** The keys of an object, in order; else none. */
    public Set<String> propertyNames() {
        return Set.of();
    }

    /** The elements of an array or the values of an object; else none. */
    @Override
    public Iterator<JsonNode> iterator() {
        return List.<JsonNode>of().iterator();
    }

    /** The same as a stream. */
    public Stream<JsonNode> valueStream() {
        return StreamSupport.stream(spliterator(), false);
    }

    public boolean isObject() {
        return false;
    }

    public boolean isArray() {
        return false;
    }

    public boolean isString() {
        return false;
    }

    public boolean isNumber() {
        return false;
    }

    /** Whether it is an integer in the range of int. */
    public boolean isInt() {
        return false;
    }

    public boolean isBoolean() {
        return false;
    }

    public boolean isNull() {
        return false;
    }

    public boolean isMissingNode() {
        return false;
    }

    public String asString() {
        throw new MalformedFileException("A JSON value must be a text but was " + shown());
    }

    public String asString(String fallback) {
        return fallback;
    }

    public int asInt() {
        throw new MalformedFileException("A JSON value must be a whole number but was " + shown());
    }

    public int asInt(int fallback) {
        return fallback;
    }

    public long asLong() {
        throw new MalformedFileException("A JSON value must be a whole number but was " + shown());
    }

    public long asLong(long fallback) {
        return fallback;
    }

    public double asDouble() {
        throw new MalformedFileException("A JSON value must be a number but was " + shown());
    }

    public double asDouble(double fallback) {
        return fallback;
    }

    public boolean asBoolean() {
        throw new MalformedFileException("A JSON value must be true or false but was " + shown());
    }

    public boolean asBoolean(boolean fallback) {
        return fallback;
    }

    /** A deep copy. */
    public abstract JsonNode deepCopy();

    /** Converts to plain Java: mutable {@code Map} and {@code List}, string, number, boolean, or null. */
    public abstract @Nullable Object toJava();

    /** For messages: the value, cut to 80 characters, or {@code absent}. */
    public String shown() {
        String text = isMissingNode() ? "absent" : toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }

    /** The value as JSON without line breaks; empty for a missing value. */
    @Override
    public String toString() {
        return JsonWriter.compact(this);
    }

    /** The value as JSON with one member per line, indented by two spaces. */
    public String toPrettyString() {
        return JsonWriter.pretty(this);
    }
}
