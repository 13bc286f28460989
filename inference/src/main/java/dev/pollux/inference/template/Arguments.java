package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a call passes: values by position and values by name. <em>Immutable by agreement.</em> */
record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /**
     * Brings the arguments into the order of {@code parameters}.
     *
     * @throws Failure if there are too many, an unknown name, or one given twice
     */
    Bound bind(String function, String... parameters) {
        if (positional.size() > parameters.length) {
            throw Failure.of("TypeError: " + function + "() takes at most " + parameters.length + " arguments but "
                    + positional.size() + " were given");
        }
        List<@Nullable Object> values = new ArrayList<>(positional);
        while (values.size() < parameters.length) {
            values.add(null);
        }
        named.forEach((name, value) -> {
            int index = List.of(parameters).indexOf(name);
            if (index < 0) {
                throw Failure.of("TypeError: " + function + "() got an unexpected keyword argument '" + name + "'");
            } else if (values.get(index) != null) {
                throw Failure.of("TypeError: " + function + "() got multiple values for argument '" + name + "'");
            }
            values.set(index, value);
        });
        return new Bound(function, List.of(parameters), values);
    }

    /** These without the first positional one. */
    Arguments rest() {
        return new Arguments(positional.subList(1, positional.size()), named);
    }

    /** Arguments in the order of a function's parameters. */
    record Bound(String function, List<String> parameters, List<@Nullable Object> values) {

        boolean has(int index) {
            return values.get(index) != null;
        }

        /** Whether it was given, and not as {@code none}. */
        boolean hasValue(int index) {
            return values.get(index) != null && values.get(index) != None.NONE;
        }

        Object required(int index) {
            Object value = values.get(index);
            if (value == null) {
                throw Failure.of("TypeError: " + function + "() misses the argument '" + parameters.get(index) + "'");
            }
            return value;
        }

        Object or(int index, Object fallback) {
            Object value = values.get(index);
            return value == null ? fallback : value;
        }

        boolean truth(int index, boolean fallback) {
            Object value = values.get(index);
            return value == null ? fallback : Comparison.truth(value);
        }

        int integer(int index, int fallback) {
            Object value = values.get(index);
            return value == null ? fallback : Numbers.index(value, what(index));
        }

        /** A string, else an error. */
        String text(int index) {
            Object value = required(index);
            if (!Types.isString(value)) {
                throw value instanceof Undefined undefined
                        ? undefined.failure()
                        : Failure.of("TypeError: " + what(index) + " must be str, not " + Types.name(value));
            }
            return Types.text(value);
        }

        String text(int index, String fallback) {
            return hasValue(index) ? text(index) : fallback;
        }

        private String what(int index) {
            return "argument '" + parameters.get(index) + "' of " + function + "()";
        }
    }
}
