package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The methods of values. Those that would change a list or dict are undefined, as in the immutable sandbox that
 * transformers renders in.
 */
final class Methods {

    private static final Set<String> MUTATING_LIST =
            Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> MUTATING_DICT = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private Methods() {}

    /** What a method does. */
    interface Body {
        Object call(Interpreter in, Arguments arguments);
    }

    /** A method of one receiver, or a function. */
    record Bound(String name, Body body) implements Callable {

        @Override
        public Object call(Interpreter in, Arguments arguments) {
            return body.call(in, arguments);
        }

        @Override
        public String print() {
            return "<built-in method " + name + ">";
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** The method of {@code value}; null where there is none. */
    static @Nullable Object find(Object value, String name) {
        if (Types.isString(value)) {
            StringMethods.Method method = StringMethods.find(name);
            return method == null ? null : new Bound(name, (in, arguments) -> onString(in, value, method, arguments));
        } else if (value instanceof Dict dict) {
            return MUTATING_DICT.contains(name) ? Undefined.unsafe(value, name) : ofDict(dict, name);
        } else if (value instanceof List) {
            return MUTATING_LIST.contains(name) ? Undefined.unsafe(value, name) : ofSequence(value, name);
        } else if (value instanceof Tuple) {
            return name.equals("copy") ? null : ofSequence(value, name);
        }
        return Types.isNumber(value) ? ofNumber(value, name) : null;
    }

    private static @Nullable Object ofNumber(Object value, String name) {
        if (name.equals("real")) {
            return value instanceof Boolean ? (Object) Numbers.longValue(value) : value;
        } else if (name.equals("imag")) {
            return value instanceof Double ? (Object) 0.0 : 0L;
        } else if (value instanceof Double real) {
            return name.equals("is_integer")
                    ? new Bound(name, (in, arguments) -> real == Math.rint(real) && !Double.isInfinite(real))
                    : null;
        }
        return name.equals("bit_length")
                ? new Bound(
                        name, (in, arguments) -> (long) Numbers.big(value).abs().bitLength())
                : null;
    }

    /** A method of a safe string gives safe strings. */
    private static Object onString(Interpreter in, Object self, StringMethods.Method method, Arguments arguments) {
        String text = Types.text(self);
        in.budget().scan(text.length());
        Object result = method.call(in, text, arguments);
        return self instanceof Markup ? marked(result) : result;
    }

    private static Object marked(Object result) {
        if (result instanceof String text) {
            return new Markup(text);
        } else if (result instanceof List || result instanceof Tuple) {
            List<Object> items = new ArrayList<>(Types.items(result));
            items.replaceAll(item -> item instanceof String text ? new Markup(text) : item);
            return result instanceof Tuple ? Tuple.of(items) : items;
        }
        return result;
    }

    private static @Nullable Object ofDict(Dict dict, String name) {
        return switch (name) {
            case "items" -> view(dict, name, DictView.Kind.ITEMS);
            case "keys" -> view(dict, name, DictView.Kind.KEYS);
            case "values" -> view(dict, name, DictView.Kind.VALUES);
            case "get" ->
                new Bound(name, (in, arguments) -> {
                    Arguments.Bound given = arguments.bind("get", "key", "default");
                    Object found = dict.get(in.comparison().key(given.required(0)));
                    return found == null ? given.or(1, None.NONE) : found;
                });
            case "copy" ->
                new Bound(name, (in, arguments) -> {
                    in.budget().allocate(dict.size());
                    Dict copy = new Dict();
                    copy.putAll(dict);
                    return copy;
                });
            default -> null;
        };
    }

    private static Bound view(Dict dict, String name, DictView.Kind kind) {
        return new Bound(name, (in, arguments) -> {
            arguments.bind(name);
            in.budget().scan(dict.size());
            return new DictView(dict, kind);
        });
    }

    private static @Nullable Object ofSequence(Object sequence, String name) {
        List<Object> items = Types.items(sequence);
        return switch (name) {
            case "count" ->
                new Bound(name, (in, arguments) -> {
                    Object wanted = arguments.bind(name, "value").required(0);
                    return items.stream()
                            .filter(item -> in.comparison().equal(item, wanted))
                            .count();
                });
            case "index" -> new Bound(name, (in, arguments) -> index(in, items, arguments));
            case "copy" ->
                new Bound(name, (in, arguments) -> {
                    in.budget().allocate(items.size());
                    return new ArrayList<>(items);
                });
            default -> null;
        };
    }

    private static Object index(Interpreter in, List<Object> items, Arguments arguments) {
        Arguments.Bound given = arguments.bind("index", "value", "start", "stop");
        Object wanted = given.required(0);
        int from = given.integer(1, 0);
        int to = given.integer(2, items.size());
        int begin = Math.max(0, from < 0 ? from + items.size() : from);
        int end = Math.min(items.size(), to < 0 ? to + items.size() : to);
        for (int i = begin; i < end; i++) {
            if (in.comparison().equal(items.get(i), wanted)) {
                return (long) i;
            }
        }
        throw Failure.of("ValueError: " + in.printer().repr(wanted) + " is not in list");
    }
}
