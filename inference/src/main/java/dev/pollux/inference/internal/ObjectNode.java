package dev.pollux.inference.internal;

import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object. Its members keep the order in which their keys were first added. <em>Not thread-safe: one thread at a
 * time.</em>
 */
public final class ObjectNode extends JsonNode {

    private final Map<String, JsonNode> pairs = new LinkedHashMap<>();

    @Override
    public JsonNode path(String key) {
        return pairs.getOrDefault(key, missing());
    }

    @Override
    public int size() {
        return pairs.size();
    }

    @Override
    public Set<Map.Entry<String, JsonNode>> properties() {
        return pairs.entrySet();
    }

    @Override
    public Set<String> propertyNames() {
        return pairs.keySet();
    }

    @Override
    public Iterator<JsonNode> iterator() {
        return pairs.values().iterator();
    }

    @Override
    public boolean isObject() {
        return true;
    }

    public ObjectNode set(String key, JsonNode value) {
        pairs.put(key, value);
        return this;
    }

    public ObjectNode put(String key, String value) {
        return set(key, ValueNode.plain(value));
    }

    public ObjectNode put(String key, boolean value) {
        return set(key, ValueNode.plain(value));
    }

    public ObjectNode put(String key, int value) {
        return set(key, ValueNode.plain(value));
    }

    public ObjectNode put(String key, long value) {
        return set(key, ValueNode.plain(value));
    }

    public ObjectNode put(String key, double value) {
        return set(key, ValueNode.plain(value));
    }

    public ObjectNode putNull(String key) {
        return set(key, ValueNode.NULL);
    }

    /** Sets {@code key} to an empty object and returns it. */
    public ObjectNode putObject(String key) {
        ObjectNode object = new ObjectNode();
        set(key, object);
        return object;
    }

    /** Sets {@code key} to an empty array and returns it. */
    public ArrayNode putArray(String key) {
        ArrayNode array = new ArrayNode();
        set(key, array);
        return array;
    }

    /** Removes a member and returns its value, or null if there was none. */
    public @Nullable JsonNode remove(String key) {
        return pairs.remove(key);
    }

    /** Removes a member and returns this object. */
    public ObjectNode without(String key) {
        pairs.remove(key);
        return this;
    }

    /** Removes all members except those with these keys. */
    public ObjectNode retain(Collection<String> keys) {
        pairs.keySet().retainAll(keys);
        return this;
    }

    @Override
    public ObjectNode deepCopy() {
        ObjectNode copy = new ObjectNode();
        pairs.forEach((key, value) -> copy.set(key, value.deepCopy()));
        return copy;
    }

    @Override
    public Map<String, @Nullable Object> toJava() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        pairs.forEach((key, value) -> map.put(key, value.toJava()));
        return map;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ObjectNode node && pairs.equals(node.pairs);
    }

    @Override
    public int hashCode() {
        return pairs.hashCode();
    }
}
