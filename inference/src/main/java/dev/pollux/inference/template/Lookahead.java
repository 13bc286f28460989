package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An iterator over what a supplier gives until it gives null. <em>Not thread-safe: one thread at a time.</em> */
final class Lookahead implements Iterator<Object> {

    private final Supplier<@Nullable Object> source;
    private @Nullable Object next;
    private boolean ended;

    Lookahead(Supplier<@Nullable Object> source) {
        this.source = source;
    }

    static Lookahead over(Iterator<Object> items) {
        return new Lookahead(() -> items.hasNext() ? items.next() : null);
    }

    @Override
    public boolean hasNext() {
        if (next == null && !ended) {
            next = source.get();
            ended = next == null;
        }
        return next != null;
    }

    /** The next item, which stays the next. */
    Object peek() {
        Object item = hasNext() ? next : null;
        if (item == null) {
            throw new NoSuchElementException();
        }
        return item;
    }

    @Override
    public Object next() {
        Object item = peek();
        next = null;
        return item;
    }
}
