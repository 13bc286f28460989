package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Walking over values as Python's {@code iter} does, each item counted as a step. */
final class Iteration {

    private Iteration() {}

    static boolean isIterable(Object value) {
        return Types.isString(value)
                || Types.isListOrTuple(value)
                || value instanceof Dict
                || value instanceof DictView
                || value instanceof Range
                || value instanceof Lazy
                || value instanceof Undefined
                || value instanceof Loop;
    }

    static Iterator<Object> of(Object value, Budget budget) {
        return of(value, budget, "'%s' object is not iterable");
    }

    /** @param complaint what a TypeError says where {@code value} is not iterable */
    static Iterator<Object> of(Object value, Budget budget, String complaint) {
        if (Types.isListOrTuple(value)) {
            return counted(Types.items(value).iterator(), budget);
        } else if (value instanceof Dict dict) {
            budget.scan(dict.size() * 8L);
            return counted(dict.keys().iterator(), budget);
        } else if (Types.isString(value)) {
            return counted(characters(Types.text(value), budget.origins()), budget);
        } else if (value instanceof DictView view) {
            budget.scan(view.dict().size() * 8L);
            return counted(view.list().iterator(), budget);
        } else if (value instanceof Range range) {
            return counted(range(range), budget);
        } else if (value instanceof Lazy lazy) {
            return nested(lazy.items(), budget);
        } else if (value instanceof Undefined) {
            return List.of().iterator();
        }
        throw Failure.of("TypeError: " + complaint.formatted(Types.name(value)));
    }

    /** All items in a list of their own. */
    static List<Object> list(Object value, Budget budget) {
        List<Object> items = new ArrayList<>();
        Iterator<Object> iterator = of(value, budget);
        while (iterator.hasNext()) {
            budget.allocate(1);
            items.add(iterator.next());
        }
        return items;
    }

    private static Iterator<Object> counted(Iterator<Object> items, Budget budget) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return items.hasNext();
            }

            @Override
            public Object next() {
                budget.step();
                return items.next();
            }
        };
    }

    /** For generators, which may stand on generators as deep as their template's author likes. */
    private static Iterator<Object> nested(Iterator<Object> items, Budget budget) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                budget.enter();
                boolean hasNext = items.hasNext();
                budget.leave();
                return hasNext;
            }

            @Override
            public Object next() {
                budget.enter();
                Object item = items.next();
                budget.leave();
                return item;
            }
        };
    }

    private static Iterator<Object> characters(String text, Origins origins) {
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < text.length();
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                int begin = at;
                at = text.offsetByCodePoints(at, 1);
                return origins.part(text, begin, at);
            }
        };
    }

    private static Iterator<Object> range(Range range) {
        return new Iterator<>() {
            private final int size = range.size();
            private int at;

            @Override
            public boolean hasNext() {
                return at < size;
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return range.get(at++);
            }
        };
    }
}
