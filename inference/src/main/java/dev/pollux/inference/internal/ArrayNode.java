package dev.pollux.inference.internal;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A JSON array. <em>Not thread-safe: one thread at a time.</em> */
public final class ArrayNode extends JsonNode {

    private final List<JsonNode> elements = new ArrayList<>();

    @Override
    public JsonNode path(int index) {
        return index >= 0 && index < elements.size() ? elements.get(index) : missing();
    }

    @Override
    public int size() {
        return elements.size();
    }

    @Override
    public Iterator<JsonNode> iterator() {
        return elements.iterator();
    }

    @Override
    public boolean isArray() {
        return true;
    }

    public ArrayNode add(JsonNode value) {
        elements.add(value);
        return this;
    }

    public ArrayNode add(String value) {
        return add(ValueNode.plain(value));
    }

    public ArrayNode add(boolean value) {
        return add(ValueNode.plain(value));
    }

    public ArrayNode add(int value) {
        return add(ValueNode.plain(value));
    }

    public ArrayNode add(long value) {
        return add(ValueNode.plain(value));
    }

    /** Adds a float, written with the shortest decimal that identifies it. */
    public ArrayNode add(float value) {
        return add(ValueNode.plain(value));
    }

    public ArrayNode add(double value) {
        return add(ValueNode.plain(value));
    }

    public ArrayNode addAll(Iterable<? extends JsonNode> values) {
        values.forEach(elements::add);
        return this;
    }

    /** Replaces the element at {@code index} with a string. */
    public ArrayNode set(int index, String value) {
        elements.set(index, ValueNode.plain(value));
        return this;
    }

    public ArrayNode addNull() {
        return add(ValueNode.NULL);
    }

    /** Adds and returns an empty object. */
    public ObjectNode addObject() {
        ObjectNode object = new ObjectNode();
        add(object);
        return object;
    }

    /** Adds and returns an empty array. */
    public ArrayNode addArray() {
        ArrayNode array = new ArrayNode();
        add(array);
        return array;
    }

    /** Removes the elements that match {@code rule}. */
    public void removeIf(Predicate<JsonNode> rule) {
        elements.removeIf(rule);
    }

    @Override
    public ArrayNode deepCopy() {
        ArrayNode copy = new ArrayNode();
        elements.forEach(element -> copy.add(element.deepCopy()));
        return copy;
    }

    @Override
    public List<@Nullable Object> toJava() {
        List<@Nullable Object> list = new ArrayList<>(elements.size());
        elements.forEach(element -> list.add(element.toJava()));
        return list;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ArrayNode node && elements.equals(node.elements);
    }

    @Override
    public int hashCode() {
        return elements.hashCode();
    }
}
