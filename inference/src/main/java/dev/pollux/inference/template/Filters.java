package dev.pollux.inference.template;

import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The filters by name, and those that fit nowhere else. {@link SequenceFilters}, {@link SelectionFilters},
 * {@link TextFilters} and {@link NumberFilters} hold the others.
 */
final class Filters {

    private static final Map<String, Filter> FILTERS = filters();

    private Filters() {}

    /** What {@code value|name(arguments)} gives. */
    interface Filter {
        Object apply(Interpreter in, Object value, Arguments arguments);
    }

    /** Adds a filter that takes no arguments. */
    static void plain(Map<String, Filter> all, String name, BiFunction<Interpreter, Object, Object> function) {
        all.put(name, (in, value, args) -> {
            args.bind(name);
            return function.apply(in, value);
        });
    }

    static boolean exists(String name) {
        return FILTERS.containsKey(name);
    }

    /** All there are. */
    static Set<String> names() {
        return FILTERS.keySet();
    }

    static Filter find(String name) {
        Filter filter = FILTERS.get(name);
        if (filter == null) {
            throw Failure.of("there is no filter named '" + name + "'");
        }
        return filter;
    }

    private static Map<String, Filter> filters() {
        Map<String, Filter> all = new HashMap<>();
        SequenceFilters.addTo(all);
        SelectionFilters.addTo(all);
        TextFilters.addTo(all);
        NumberFilters.addTo(all);
        all.put("default", Filters::orDefault);
        all.put("d", Filters::orDefault);
        plain(all, "length", (in, value) -> length(value, in.budget()));
        plain(all, "count", (in, value) -> length(value, in.budget()));
        plain(all, "list", (in, value) -> Iteration.list(value, in.budget()));
        all.put(
                "string",
                (in, value, args) ->
                        Types.isString(value) ? value : in.printer().str(value));
        all.put("attr", Filters::attribute);
        plain(all, "items", (in, value) -> items(value));
        all.put("tojson", Filters::toJson);
        plain(all, "pprint", (in, value) -> new PrettyPrinter(in).print(value));
        plain(all, "safe", (in, value) -> new Markup(in.printer().str(value)));
        plain(all, "escape", Filters::escape);
        plain(all, "e", Filters::escape);
        all.put("forceescape", (in, value, args) -> new Markup(escaped(in, value)));
        return Map.copyOf(all);
    }

    private static Object orDefault(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("default", "default_value", "boolean");
        boolean absent = value instanceof Undefined || given.truth(1, false) && !Comparison.truth(value);
        return absent ? given.or(0, "") : value;
    }

    /** Python's {@code len}. */
    static Long length(Object value, Budget budget) {
        if (Types.isString(value)) {
            String text = Types.text(value);
            budget.scan(text.length());
            return (long) CodePoints.length(text);
        } else if (Types.isListOrTuple(value)) {
            return (long) Types.items(value).size();
        } else if (value instanceof Dict dict) {
            return (long) dict.size();
        } else if (value instanceof DictView view) {
            return (long) view.dict().size();
        } else if (value instanceof Range range) {
            return (long) range.size();
        } else if (value instanceof Loop loop) {
            return (long) loop.length();
        } else if (value instanceof Undefined) {
            return 0L;
        }
        throw Failure.of("TypeError: object of type '" + Types.name(value) + "' has no len()");
    }

    private static Object attribute(Interpreter in, Object value, Arguments arguments) {
        String name = arguments.bind("attr", "name").text(0);
        Object found = Access.find(value, name);
        return found == null ? Undefined.attribute(value, name) : found;
    }

    private static Object items(Object value) {
        if (value instanceof Undefined) {
            return Lazy.generator(List.of().iterator());
        }
        if (!(value instanceof Dict dict)) {
            throw Failure.of("TypeError: can only get item pairs from a mapping, not " + Types.name(value));
        }
        return Lazy.generator(dict.pairs().iterator());
    }

    /**
     * As transformers has it: HTML and other scripts stay as they are. A number in first place is the indent, which is
     * what authors mean by it; transformers' own first parameter, {@code ensure_ascii}, is a boolean.
     */
    private static Object toJson(Interpreter in, Object value, Arguments arguments) {
        boolean flag =
                !arguments.positional().isEmpty() && arguments.positional().get(0) instanceof Boolean;
        Arguments.Bound given = flag
                ? arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys")
                : arguments.bind("tojson", "indent", "separators", "sort_keys", "ensure_ascii");
        int shift = flag ? 1 : 0;
        JsonWriter.Style style = JsonWriter.Style.of(
                given.or(shift, None.NONE),
                given.or(shift + 1, None.NONE),
                given.truth(shift + 2, false),
                given.truth(flag ? 0 : 3, false));
        return new JsonWriter(in, style).write(value);
    }

    private static Object escape(Interpreter in, Object value) {
        return value instanceof Markup ? value : new Markup(in.budget().allocated(escaped(in, value)));
    }

    private static String escaped(Interpreter in, Object value) {
        String text = in.printer().str(value);
        return in.origins().changed(text, Markup.escape(text));
    }

    /**
     * What the {@code attribute} of filters like {@code map} reads: {@code "a.b.0"} goes down by names and numbers.
     *
     * @param fallback put in place of what is undefined on the way
     */
    static Function<Object, Object> getter(Interpreter in, Object attribute, Optional<Object> fallback) {
        if (attribute == None.NONE) {
            return item -> item;
        }
        List<Object> path = Types.isString(attribute)
                ? java.util.Arrays.stream(Types.text(attribute).split("\\.", -1))
                        .map(Filters::step)
                        .toList()
                : List.of(attribute);
        return item -> {
            Object value = item;
            for (Object step : path) {
                value = Access.item(in, value, step);
                if (value instanceof Undefined && fallback.isPresent()) {
                    value = fallback.get();
                }
            }
            return value;
        };
    }

    private static Object step(String part) {
        boolean number = !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
        return number ? (Object) Long.valueOf(part) : part;
    }

    /** Strings in lower case where case does not count. */
    static Object fold(Object value, boolean caseSensitive) {
        return caseSensitive || !Types.isString(value)
                ? value
                : Types.text(value).toLowerCase(java.util.Locale.ROOT);
    }

    static Iterator<Object> iterate(Interpreter in, Object value) {
        return Iteration.of(value, in.budget());
    }
}
