package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
final class Globals {

    private static final Map<String, Callable> FUNCTIONS = Map.of(
            "range", named("range", Globals::range),
            "dict", named("dict", (in, arguments) -> dict(in, arguments, "dict")),
            "namespace", named("namespace", (in, arguments) -> new Namespace(dict(in, arguments, "namespace"))),
            "cycler", named("cycler", (in, arguments) -> new Cycler(arguments.positional())),
            "joiner", named("joiner", Globals::joiner),
            "lipsum", named("lipsum", Globals::lipsum),
            "raise_exception", named("raise_exception", Globals::raise),
            "strftime_now", named("strftime_now", Globals::now));

    private Globals() {}

    static @Nullable Object find(String name) {
        return FUNCTIONS.get(name);
    }

    private static Callable named(String name, Methods.Body body) {
        return new Methods.Bound(name, body);
    }

    private static Object range(Interpreter in, Arguments arguments) {
        List<Object> given = arguments.positional();
        if (given.isEmpty() || given.size() > 3 || !arguments.named().isEmpty()) {
            throw Failure.of("TypeError: range expects 1 to 3 arguments by position, got " + given.size());
        }
        long[] bounds = new long[given.size()];
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = Numbers.index(given.get(i), "argument of range()");
        }
        return bounds.length == 1
                ? new Range(0, bounds[0], 1)
                : new Range(bounds[0], bounds[1], bounds.length == 3 ? bounds[2] : 1);
    }

    /** Python's {@code dict(mapping or pairs, **named)}. */
    private static Dict dict(Interpreter in, Arguments arguments, String function) {
        Dict dict = new Dict();
        if (arguments.positional().size() > 1) {
            throw Failure.of("TypeError: " + function + " expected at most 1 argument, got "
                    + arguments.positional().size());
        }
        for (Object source : arguments.positional()) {
            if (source instanceof Undefined undefined) {
                throw undefined.failure();
            } else if (source instanceof Dict other) {
                in.budget().allocate(other.size());
                dict.putAll(other);
            } else {
                addPairs(in, source, dict);
            }
        }
        arguments.named().forEach(dict::put);
        return dict;
    }

    private static void addPairs(Interpreter in, Object source, Dict dict) {
        Iterator<Object> pairs = Iteration.of(source, in.budget());
        while (pairs.hasNext()) {
            List<Object> pair = Iteration.list(pairs.next(), in.budget());
            if (pair.size() != 2) {
                throw Failure.of(
                        "ValueError: dictionary update sequence element has length " + pair.size() + "; 2 is required");
            }
            dict.put(in.comparison().key(pair.get(0)), pair.get(0), pair.get(1));
        }
    }

    /** Nothing at the first call, the separator at each later one. */
    private static Object joiner(Interpreter in, Arguments arguments) {
        Object separator = arguments.bind("joiner", "sep").or(0, ", ");
        boolean[] used = {false};
        return new Methods.Bound("joiner", (self, none) -> {
            Object text = used[0] ? separator : "";
            used[0] = true;
            return text;
        });
    }

    private static Object lipsum(Interpreter in, Arguments arguments) {
        throw Failure.of("lipsum() is not available: the same input must give the same text");
    }

    private static Object raise(Interpreter in, Arguments arguments) {
        throw Failure.raised(
                in.printer().str(arguments.bind("raise_exception", "message").required(0)));
    }

    private static Object now(Interpreter in, Arguments arguments) {
        String format = arguments.bind("strftime_now", "format").text(0);
        return new Strftime(in.now(), in.budget()).format(format);
    }
}
