package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** {@code map}, {@code select}, {@code reject} and their likes; they give generators, as in Jinja2. */
final class SelectionFilters {

    private SelectionFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        all.put("map", SelectionFilters::map);
        all.put("select", (in, value, args) -> filter(in, value, args, false, true));
        all.put("reject", (in, value, args) -> filter(in, value, args, false, false));
        all.put("selectattr", (in, value, args) -> filter(in, value, args, true, true));
        all.put("rejectattr", (in, value, args) -> filter(in, value, args, true, false));
    }

    private static Object map(Interpreter in, Object value, Arguments arguments) {
        return lazily(in, value, items -> {
            Function<Object, Object> function = mapping(in, arguments);
            return new Lookahead(() -> items.hasNext() ? function.apply(items.next()) : null);
        });
    }

    /** Nothing happens, not even an error, before the first item is asked for. */
    private static Lazy lazily(Interpreter in, Object value, Function<Iterator<Object>, Iterator<Object>> start) {
        return Lazy.generator(new Iterator<>() {

            private Optional<Iterator<Object>> started = Optional.empty();

            private Iterator<Object> items() {
                if (started.isEmpty()) {
                    started = Optional.of(
                            Comparison.truth(value)
                                    ? start.apply(Filters.iterate(in, value))
                                    : List.of().iterator());
                }
                return started.get();
            }

            @Override
            public boolean hasNext() {
                return items().hasNext();
            }

            @Override
            public Object next() {
                return items().next();
            }
        });
    }

    private static Function<Object, Object> mapping(Interpreter in, Arguments arguments) {
        if (!arguments.positional().isEmpty()) {
            String name = in.printer().str(arguments.positional().get(0));
            Filters.Filter filter = Filters.find(name);
            Arguments rest = arguments.rest();
            return item -> filter.apply(in, item, rest);
        }
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        Object attribute = named.remove("attribute");
        if (attribute == null) {
            throw Failure.of("map requires a filter argument");
        }
        Object fallback = named.remove("default");
        if (!named.isEmpty()) {
            throw Failure.of(
                    "Unexpected keyword argument '" + named.keySet().iterator().next() + "'");
        }
        return Filters.getter(in, attribute, Optional.ofNullable(fallback).filter(value -> value != None.NONE));
    }

    private static Object filter(Interpreter in, Object value, Arguments arguments, boolean byAttribute, boolean keep) {
        return lazily(in, value, items -> {
            Predicate<Object> test = predicate(in, arguments, byAttribute);
            return new Lookahead(() -> {
                while (items.hasNext()) {
                    Object item = items.next();
                    if (test.test(item) == keep) {
                        return item;
                    }
                }
                return null;
            });
        });
    }

    private static Predicate<Object> predicate(Interpreter in, Arguments arguments, boolean byAttribute) {
        Arguments rest = arguments;
        Function<Object, Object> getter = item -> item;
        if (byAttribute) {
            if (arguments.positional().isEmpty()) {
                throw Failure.of("Missing parameter for attribute name");
            }
            getter = Filters.getter(in, arguments.positional().get(0), Optional.empty());
            rest = arguments.rest();
        }
        Function<Object, Object> get = getter;
        if (rest.positional().isEmpty()) {
            return item -> Comparison.truth(get.apply(item));
        }
        Tests.Test test = Tests.find(in.printer().str(rest.positional().get(0)));
        Arguments passed = rest.rest();
        return item -> test.holds(in, get.apply(item), passed);
    }
}
