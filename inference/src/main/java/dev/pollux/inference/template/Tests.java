package dev.pollux.inference.template;

import java.util.HashMap;
import java.util.Map;

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
        all.put("filter", (in, value, args) -> value instanceof String name && Filters.exists(name));
        all.put("test", (in, value, args) -> value instanceof String name && exists(name));
        all.put("lower", (in, value, args) -> StringMethods.isLower(in.printer().str(value)));
        all.put("upper", (in, value, args) -> StringMethods.isUpper(in.printer().str(value)));
        all.put("escaped", (in, value, args) -> value instanceof Markup);
        return Map.copyOf(all);
    }

    private static void kinds(Map<String, Test> all) {
        all.put("defined", (in, value, args) -> !(value instanceof Undefined));
        all.put("undefined", (in, value, args) -> value instanceof Undefined);
        all.put("none", (in, value, args) -> value == None.NONE);
        all.put("boolean", (in, value, args) -> value instanceof Boolean);
        all.put("true", (in, value, args) -> Boolean.TRUE.equals(value));
        all.put("false", (in, value, args) -> Boolean.FALSE.equals(value));
        all.put("integer", (in, value, args) -> Types.isInteger(value) && !(value instanceof Boolean));
        all.put("float", (in, value, args) -> value instanceof Double);
        all.put("number", (in, value, args) -> Types.isNumber(value));
        all.put("string", (in, value, args) -> Types.isString(value));
        all.put("mapping", (in, value, args) -> value instanceof Dict);
        all.put("iterable", (in, value, args) -> Iteration.isIterable(value));
        all.put("callable", (in, value, args) -> value instanceof Callable || value instanceof Undefined);
        all.put(
                "sequence",
                (in, value, args) -> Types.isString(value)
                        || Types.isListOrTuple(value)
                        || value instanceof Dict
                        || value instanceof Range
                        || value instanceof Undefined);
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
    private static boolean same(Object a, Object b) {
        boolean scalar = a instanceof String || a instanceof Long || a instanceof Boolean;
        return a == b || scalar && a.equals(b);
    }
}
