package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has a value: a tree that evaluates itself. The operators are in {@link Operation}. <em>Immutable.</em> */
sealed interface Expression
        permits Expression.Literal,
                Expression.Name,
                Expression.ListOf,
                Expression.TupleOf,
                Expression.DictOf,
                Expression.Attribute,
                Expression.Item,
                Expression.Slice,
                Expression.Call,
                Expression.Filtered,
                Expression.Tested,
                Operation {

    Position at();

    /** The value, its parts already within the bounds of depth; callers use {@link #evaluate}. */
    Object compute(Frame frame);

    default Object evaluate(Frame frame) {
        Budget budget = frame.interpreter().budget();
        budget.enter();
        Object value = compute(frame);
        budget.leave();
        return value;
    }

    private static List<Object> all(List<Expression> items, Frame frame) {
        List<Object> values = new ArrayList<>(items.size());
        for (Expression item : items) {
            values.add(item.evaluate(frame));
        }
        frame.interpreter().budget().allocate(values.size());
        return values;
    }

    /** Filters and tests may look at all of a string. */
    private static void scan(Frame frame, Object value) {
        if (Types.isString(value)) {
            frame.interpreter().budget().scan(Types.text(value).length());
        }
    }

    /** A number, a string, true, false or none. */
    record Literal(Position at, Object value) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return value;
        }

        @Override
        public Object evaluate(Frame frame) {
            return value;
        }
    }

    /** A variable. */
    record Name(Position at, String name) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return frame.get(name);
        }
    }

    /** {@code [a, b]}. */
    record ListOf(Position at, List<Expression> items) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return all(items, frame);
        }
    }

    /** {@code (a, b)}. */
    record TupleOf(Position at, List<Expression> items) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return Tuple.of(all(items, frame));
        }
    }

    /** {@code {k: v}}. */
    record DictOf(Position at, List<Expression> keys, List<Expression> values) implements Expression {

        @Override
        public Object compute(Frame frame) {
            Interpreter in = frame.interpreter();
            in.budget().allocate(keys.size());
            Dict dict = new Dict();
            for (int i = 0; i < keys.size(); i++) {
                Object key = keys.get(i).evaluate(frame);
                Object value = values.get(i).evaluate(frame);
                in.at(keys.get(i).at());
                dict.put(in.comparison().key(key), key, value);
            }
            return dict;
        }
    }

    /** {@code value.name}. */
    record Attribute(Position at, Expression value, String name) implements Expression {

        @Override
        public Object compute(Frame frame) {
            Object owner = value.evaluate(frame);
            frame.interpreter().at(at);
            return Access.attribute(frame.interpreter(), owner, name);
        }
    }

    /** {@code value[item]}. */
    record Item(Position at, Expression value, Expression item) implements Expression {

        @Override
        public Object compute(Frame frame) {
            Object owner = value.evaluate(frame);
            Object key = item.evaluate(frame);
            frame.interpreter().at(at);
            return Access.item(frame.interpreter(), owner, key);
        }
    }

    /** {@code value[start:stop:step]}; what is left out is the literal none. */
    record Slice(Position at, Expression value, Expression start, Expression stop, Expression step)
            implements Expression {

        @Override
        public Object compute(Frame frame) {
            Object owner = value.evaluate(frame);
            Object from = start.evaluate(frame);
            Object to = stop.evaluate(frame);
            Object by = step.evaluate(frame);
            frame.interpreter().at(at);
            return frame.interpreter().operators().slice(owner, from, to, by);
        }
    }

    /** {@code function(arguments)}. */
    record Call(Position at, Expression function, Passed passed) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return call(frame, null);
        }

        /** @param caller what a call block passes to the macro */
        Object call(Frame frame, @Nullable Macro caller) {
            Object target = function.evaluate(frame);
            Arguments arguments = passed.evaluate(frame);
            frame.interpreter().at(at);
            if (caller != null) {
                Map<String, Object> named = new LinkedHashMap<>(arguments.named());
                named.put("caller", caller);
                arguments = new Arguments(arguments.positional(), named);
            }
            if (target instanceof Callable callable) {
                return callable.call(frame.interpreter(), arguments);
            }
            throw target instanceof Undefined undefined
                    ? undefined.failure()
                    : Failure.of("TypeError: '" + Types.name(target) + "' object is not callable");
        }
    }

    /** {@code value|filter(arguments)}. */
    record Filtered(Position at, Expression value, String filter, Passed passed) implements Expression {

        @Override
        public Object compute(Frame frame) {
            return apply(frame, value.evaluate(frame));
        }

        Object apply(Frame frame, Object input) {
            Arguments arguments = passed.evaluate(frame);
            frame.interpreter().at(at);
            scan(frame, input);
            return Filters.find(filter).apply(frame.interpreter(), input, arguments);
        }
    }

    /** {@code value is test(arguments)}. */
    record Tested(Position at, Expression value, String test, Passed passed) implements Expression {

        @Override
        public Object compute(Frame frame) {
            Object tested = value.evaluate(frame);
            Arguments arguments = passed.evaluate(frame);
            frame.interpreter().at(at);
            scan(frame, tested);
            return Tests.find(test).holds(frame.interpreter(), tested, arguments);
        }
    }

    /** The arguments of a call as they are written: {@code a, b, key=c, *d, **e}. */
    record Passed(
            List<Expression> positional,
            Map<String, Expression> named,
            @Nullable Expression more,
            @Nullable Expression moreNamed) {

        static final Passed NOTHING = new Passed(List.of(), Map.of(), null, null);

        Arguments evaluate(Frame frame) {
            if (equals(NOTHING)) {
                return Arguments.NONE;
            }
            Interpreter in = frame.interpreter();
            List<Object> values = all(positional, frame);
            Map<String, Object> byName = new LinkedHashMap<>();
            named.forEach((name, value) -> byName.put(name, value.evaluate(frame)));
            if (more != null) {
                values.addAll(Iteration.list(more.evaluate(frame), in.budget()));
            }
            if (moreNamed != null) {
                addNamed(moreNamed.evaluate(frame), byName);
            }
            return new Arguments(values, byName);
        }

        private static void addNamed(Object value, Map<String, Object> byName) {
            if (!(value instanceof Dict dict)) {
                throw Failure.of("TypeError: argument after ** must be a mapping, not " + Types.name(value));
            }
            for (Dict.Item item : dict.items()) {
                if (!(item.key() instanceof String name)) {
                    throw Failure.of("TypeError: keywords must be strings");
                } else if (byName.put(name, item.value()) != null) {
                    throw Failure.of("TypeError: got multiple values for keyword argument '" + name + "'");
                }
            }
        }
    }
}
