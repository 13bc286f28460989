package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's dict: insertion order, and keys equal as Python has it ({@code 1}, {@code 1.0} and {@code True} are one key).
 * Keys are looked up in the form of {@link Comparison#key}; strings are their own key. <em>Not thread-safe: one thread at
 * a time.</em>
 */
final class Dict {

    private final Map<Object, Item> items = new LinkedHashMap<>();

    record Item(Object key, Object value) {}

    @Nullable
    Object get(Object key) {
        Item item = items.get(key);
        return item == null ? null : item.value();
    }

    boolean contains(Object key) {
        return items.containsKey(key);
    }

    void put(String key, Object value) {
        items.put(key, new Item(key, value));
    }

    /** The first spelling of a key stays, as in Python. */
    void put(Object key, Object spelling, Object value) {
        Item old = items.get(key);
        items.put(key, new Item(old == null ? spelling : old.key(), value));
    }

    void putAll(Dict other) {
        other.items.forEach((key, item) -> put(key, item.key(), item.value()));
    }

    int size() {
        return items.size();
    }

    Collection<Item> items() {
        return items.values();
    }

    /** Each key in its normal form with its item. */
    Map<Object, Item> entries() {
        return items;
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>(items.size());
        items.values().forEach(item -> keys.add(item.key()));
        return keys;
    }

    List<Object> values() {
        List<Object> values = new ArrayList<>(items.size());
        items.values().forEach(item -> values.add(item.value()));
        return values;
    }

    List<Object> pairs() {
        List<Object> pairs = new ArrayList<>(items.size());
        items.values().forEach(item -> pairs.add(Tuple.of(item.key(), item.value())));
        return pairs;
    }
}
