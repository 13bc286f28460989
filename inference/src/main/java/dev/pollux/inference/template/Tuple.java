package dev.pollux.inference.template;

import java.util.List;

/**
 * Python's tuple; {@code group} marks what the filter {@code groupby} gives, whose two items also go by the names
 * {@code grouper} and {@code list}. <em>Immutable.</em>
 */
record Tuple(List<Object> items, boolean group) {

    static final Tuple EMPTY = new Tuple(List.of(), false);

    static Tuple of(Object... items) {
        return new Tuple(List.of(items), false);
    }

    static Tuple of(List<Object> items) {
        return new Tuple(items, false);
    }
}
