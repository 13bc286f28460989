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
 * A JSON value as a tree: the one form in which files of models, manifests and answers of hubs are read and written.
 *
 * <p>It is read as Python's {@code json} reads it: {@code NaN}, {@code Infinity} and {@code -Infinity} are numbers, of a
 * repeated key the last value counts, and keys keep the order of the file. Nesting is at most 500 deep, a number at most
 * 1,000 and a name at most 50,000 characters long. A number that was read is written with the same characters.
 *
 * <p>{@link #path} never fails: where there is nothing it gives a node that {@link #isMissingNode() is missing}, so that
 * paths can be chained. The {@code as} methods convert: a missing or null value gives 0, false or the empty text, a
 * number in a text is read, a fraction is cut off, and any other value is a {@link MalformedFileException}; with a
 * fallback, that is given in place of all these and of the error. <em>Not thread-safe while it is changed.</em>
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

    /** The same of UTF-8. */
    public static JsonNode parse(byte[] utf8, String source) {
        return JsonReader.read(utf8, source);
    }

    /**
     * A plain Java value as a tree: maps, collections, texts, numbers, truth values, null, and trees.
     *
     * @throws IllegalArgumentException if it is of another type
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

    /** The node that stands where there is nothing. */
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

    /** The value under {@code key}, or null where there is none. */
    public @Nullable JsonNode get(String key) {
        JsonNode value = path(key);
        return value.isMissingNode() ? null : value;
    }

    /** The element at {@code index}, or null where there is none. */
    public @Nullable JsonNode get(int index) {
        JsonNode value = path(index);
        return value.isMissingNode() ? null : value;
    }

    /** Whether there is a value under {@code key}, be it null. */
    public boolean has(String key) {
        return !path(key).isMissingNode();
    }

    /** Whether there is a value other than null under {@code key}. */
    public boolean hasNonNull(String key) {
        JsonNode value = path(key);
        return !value.isMissingNode() && !value.isNull();
    }

    /** Elements of an array, pairs of an object; else 0. */
    public int size() {
        return 0;
    }

    /** Whether {@link #size()} is 0. */
    public boolean isEmpty() {
        return size() == 0;
    }

    /** The pairs of an object, in order; else none. */
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

    /** Whether it is written as a whole number in the range of int. */
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

    /** A copy that shares nothing that can be changed. */
    public abstract JsonNode deepCopy();

    /** As plain Java: {@code Map} and {@code List} that can be changed, text, number, truth value, or null. */
    public abstract @Nullable Object toJava();

    /** For messages: the value, cut to 80 characters, or {@code absent}. */
    public String shown() {
        String text = isMissingNode() ? "absent" : toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }

    /** The value as JSON without line breaks; a missing one as nothing. */
    @Override
    public String toString() {
        return JsonWriter.compact(this);
    }

    /** The value as JSON with a pair a line, indented by two blanks. */
    public String toPrettyString() {
        return JsonWriter.pretty(this);
    }
}
