package dev.pollux.inference.template;

import java.util.Iterator;

/**
 * A generator: it can be walked once, has no length and no items by number, and is always true. Filters such as
 * {@code map} and {@code select} give one, and templates notice. <em>Not thread-safe: one thread at a time.</em>
 *
 * @param type Python's name for it
 */
record Lazy(String type, Iterator<Object> items) {

    static Lazy generator(Iterator<Object> items) {
        return new Lazy("generator", items);
    }
}
