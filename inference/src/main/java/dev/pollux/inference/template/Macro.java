package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A macro, or the body of a call block, with the scope it was defined in. <em>Not thread-safe: one thread at a time.</em> */
record Macro(Definition definition, Frame scope) implements Callable {

    /** @param used which of the special names {@code caller}, {@code kwargs} and {@code varargs} the body reads */
    record Definition(
            String name, List<String> parameters, List<Expression> defaults, List<Statement> body, Set<String> used) {

        private boolean uses(String special) {
            return used.contains(special) && !parameters.contains(special);
        }
    }

    @Override
    public Object call(Interpreter in, Arguments arguments) {
        List<String> parameters = definition.parameters();
        List<Object> given = arguments.positional();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        List<@Nullable Object> values = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            values.add(i < given.size() ? given.get(i) : named.remove(parameters.get(i)));
        }
        Frame frame = scope.inner();
        if (definition.uses("caller")) {
            Object caller = named.remove("caller");
            frame.set("caller", caller == null ? new Undefined("No caller defined") : caller);
        }
        extra(frame, given, named);
        in.budget().enter();
        bind(frame, values);
        String text = in.capture(() -> Statement.renderAll(definition.body(), frame));
        in.budget().leave();
        return text;
    }

    private void extra(Frame frame, List<Object> given, Map<String, Object> named) {
        int count = definition.parameters().size();
        if (definition.uses("kwargs")) {
            Dict rest = new Dict();
            named.forEach(rest::put);
            frame.set("kwargs", rest);
        } else if (!named.isEmpty()) {
            throw Failure.of("TypeError: macro '" + definition.name() + "' takes no keyword argument '"
                    + named.keySet().iterator().next() + "'");
        }
        if (definition.uses("varargs")) {
            frame.set("varargs", Tuple.of(List.copyOf(given.subList(Math.min(count, given.size()), given.size()))));
        } else if (given.size() > count) {
            throw Failure.of(
                    "TypeError: macro '" + definition.name() + "' takes not more than " + count + " argument(s)");
        }
    }

    /** Defaults are evaluated at each call, and see the parameters before them. */
    private void bind(Frame frame, List<@Nullable Object> values) {
        List<String> parameters = definition.parameters();
        int required = parameters.size() - definition.defaults().size();
        for (int i = 0; i < values.size(); i++) {
            Object value = values.get(i);
            if (value == null) {
                value = i < required
                        ? new Undefined("parameter '" + parameters.get(i) + "' was not provided")
                        : definition.defaults().get(i - required).evaluate(frame);
            }
            frame.set(parameters.get(i), value);
        }
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "name" -> definition.name();
            case "arguments" -> Tuple.of(List.copyOf(definition.parameters()));
            case "catch_kwargs" -> definition.uses("kwargs");
            case "catch_varargs" -> definition.uses("varargs");
            case "caller" -> definition.uses("caller");
            default -> null;
        };
    }

    @Override
    public String type() {
        return "Macro";
    }

    @Override
    public String print() {
        return definition.name().isEmpty() ? "<Macro anonymous>" : "<Macro '" + definition.name() + "'>";
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
