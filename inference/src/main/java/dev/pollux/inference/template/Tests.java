package dev.pollux.inference.template;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** What can stand after {@code is}. */
final class Tests {

    private static final Map<String, Test> TESTS = tests();

    private Tests() {}

    /** Whether {@code value is name(arguments)}. */
    interface Test {
        boolean holds(Interpreter in, Object value, Arguments arguments);
    }

    static boolean exists(String name) {
        return TESTS.containsKey(name);
    }

    static Test find(String name) {
        Test test = TESTS.get(name);
        if (test == null) {
            throw Failure.of("there is no test named '" + name + "'");
        }
        return test;
    }

    private static Map<String, Test> tests() {
        Map<String, Test> all = new HashMap<>();
        kinds(all);
        numbers(all);
        comparisons(all);
        plain(all, "filter", value -> value instanceof String name && Filters.exists(name));
        plain(all, "test", value -> value instanceof String name && exists(name));
        all.put("lower", (in, value, args) -> StringMethods.isLower(in.printer().str(value)));
        all.put("upper", (in, value, args) -> StringMethods.isUpper(in.printer().str(value)));
        plain(all, "escaped", value -> value instanceof Markup);
        return Map.copyOf(all);
    }

    private static void kinds(Map<String, Test> all) {
        plain(all, "defined", value -> !(value instanceof Undefined));
        plain(all, "undefined", value -> value instanceof Undefined);
        plain(all, "none", value -> value == None.NONE);
        plain(all, "boolean", value -> value instanceof Boolean);
        plain(all, "true", value -> Boolean.TRUE.equals(value));
        plain(all, "false", value -> Boolean.FALSE.equals(value));
        plain(all, "integer", value -> Types.isInteger(value) && !(value instanceof Boolean));
        plain(all, "float", value -> value instanceof Double);
        plain(all, "number", value -> Types.isNumber(value));
        plain(all, "string", value -> Types.isString(value));
        plain(all, "mapping", value -> value instanceof Dict);
        plain(all, "iterable", value -> Iteration.isIterable(value));
        plain(all, "callable", value -> value instanceof Callable || value instanceof Undefined);
        plain(
                all,
                "sequence",
                value -> Types.isString(value)
                        || Types.isListOrTuple(value)
                        || value instanceof Dict
                        || value instanceof Range
                        || value instanceof Undefined);
    }

    /** Adds a test that takes no arguments. */
    private static void plain(Map<String, Test> all, String name, Predicate<Object> test) {
        all.put(name, (in, value, args) -> {
            args.bind(name);
            return test.test(value);
        });
    }

    private static void numbers(Map<String, Test> all) {
        all.put("odd", (in, value, args) -> remainder(in, value, 2L, 1L));
        all.put("even", (in, value, args) -> remainder(in, value, 2L, 0L));
        all.put(
                "divisibleby",
                (in, value, args) ->
                        remainder(in, value, args.bind("divisibleby", "num").required(0), 0L));
    }

    private static boolean remainder(Interpreter in, Object value, Object divisor, Object expected) {
        return in.comparison().equal(in.operators().binary("%", value, divisor), expected);
    }

    private static void comparisons(Map<String, Test> all) {
        for (String name : new String[] {"==", "eq", "equalto"}) {
            all.put(name, (in, value, args) -> in.comparison().equal(value, other(args, name)));
        }
        for (String name : new String[] {"!=", "ne"}) {
            all.put(name, (in, value, args) -> !in.comparison().equal(value, other(args, name)));
        }
        order(all, "<", "lt", "lessthan");
        order(all, "<=", "le");
        order(all, ">", "gt", "greaterthan");
        order(all, ">=", "ge");
        all.put("in", (in, value, args) -> in.comparison().contains(other(args, "in"), value));
        all.put("sameas", (in, value, args) -> same(value, other(args, "sameas")));
    }

    private static void order(Map<String, Test> all, String operator, String... names) {
        Test test = (in, value, args) -> in.comparison().ordered(value, operator, other(args, operator));
        all.put(operator, test);
        for (String name : names) {
            all.put(name, test);
        }
    }

    private static Object other(Arguments arguments, String test) {
        return arguments.bind(test, "other").required(0);
    }

    /** Scalars are the same object when they are the same value of the same type. */
    @SuppressWarnings("ReferenceEquality") // identity is what is asked for
    private static boolean same(Object a, Object b) {
        boolean scalar = a instanceof String || a instanceof Long || a instanceof Boolean;
        return a == b || scalar && a.equals(b);
    }
}
