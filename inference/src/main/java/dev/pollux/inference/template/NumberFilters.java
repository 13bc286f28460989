package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Filters on numbers. */
final class NumberFilters {

    /** About the work that an exact decimal of a double takes, in characters scanned. */
    static final int EXACT_DIGITS = 4096;

    private NumberFilters() {}

    static void addTo(Map<String, Filters.Filter> all) {
        Filters.plain(all, "abs", NumberFilters::abs);
        all.put("int", NumberFilters::toInteger);
        all.put("float", NumberFilters::toReal);
        all.put("round", NumberFilters::round);
        all.put("filesizeformat", NumberFilters::fileSize);
    }

    private static Object abs(Interpreter in, Object value) {
        if (value instanceof Double real) {
            return Math.abs(real);
        }
        requireNumber(value, "abs");
        return Numbers.integer(Numbers.big(value).abs());
    }

    private static void requireNumber(Object value, String filter) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (!Types.isNumber(value)) {
            throw Failure.of("TypeError: " + filter + " needs a number, not " + Types.name(value));
        }
    }

    private static Object toInteger(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("int", "default", "base");
        Object fallback = given.or(0, 0L);
        int base = given.integer(1, 10);
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (value instanceof Double real) {
            return whole(real).orElseGet(() -> {
                if (real.isInfinite()) {
                    throw Failure.of("OverflowError: cannot convert float infinity to integer");
                }
                return fallback;
            });
        } else if (Types.isInteger(value)) {
            return Numbers.integer(Numbers.big(value));
        } else if (!Types.isString(value)) {
            return fallback;
        }
        boolean valid = base == 0 || base >= 2 && base <= 36;
        Optional<Object> parsed = valid ? NumberParser.integer(Types.text(value), base) : Optional.empty();
        return parsed.or(() -> NumberParser.real(Types.text(value)).flatMap(NumberFilters::whole))
                .orElse(fallback);
    }

    private static Optional<Object> whole(double value) {
        return Double.isNaN(value) || Double.isInfinite(value)
                ? Optional.empty()
                : Optional.of(Numbers.integer(new BigDecimal(value).toBigInteger()));
    }

    private static Object toReal(Interpreter in, Object value, Arguments arguments) {
        Object fallback = arguments.bind("float", "default").or(0, 0.0);
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (Types.isNumber(value)) {
            return Numbers.doubleValue(value);
        }
        return Types.isString(value)
                ? NumberParser.real(Types.text(value)).map(Object.class::cast).orElse(fallback)
                : fallback;
    }

    private static Object round(Interpreter in, Object value, Arguments arguments) {
        Arguments.Bound given = arguments.bind("round", "precision", "method");
        int places = given.integer(0, 0);
        String method = given.text(1, "common");
        if (!List.of("common", "ceil", "floor").contains(method)) {
            throw Failure.of("method must be common, ceil or floor but was '" + method + "'");
        }
        requireNumber(value, "round");
        in.budget().scan(EXACT_DIGITS);
        if (method.equals("common")) {
            return value instanceof Double real ? (Object) Numbers.round(real, places) : roundInteger(value, places);
        }
        Operators operators = in.operators();
        Object scale = operators.binary("**", 10L, (long) places);
        double scaled = Numbers.doubleValue(operators.binary("*", value, scale));
        double cut = method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled);
        Object whole = whole(cut).orElseThrow(() -> Failure.of("OverflowError: cannot convert float to integer"));
        return operators.binary("/", whole, scale);
    }

    private static Object roundInteger(Object value, int places) {
        BigInteger number = Numbers.big(value);
        if (places >= 0) {
            return Numbers.integer(number);
        } else if (-(long) places > number.abs().toString().length()) {
            return 0L;
        }
        return Numbers.integer(
                new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).toBigInteger());
    }

    private static Object fileSize(Interpreter in, Object value, Arguments arguments) {
        boolean binary = arguments.bind("filesizeformat", "binary").truth(0, false);
        double bytes = Types.isString(value)
                ? NumberParser.real(Types.text(value))
                        .orElseThrow(() -> Failure.of("ValueError: could not convert string to float"))
                : Numbers.doubleValue(number(value));
        double base = binary ? 1024 : 1000;
        if (bytes == 1) {
            return "1 Byte";
        } else if (bytes < base) {
            return whole(bytes).orElse(0L) + " Bytes";
        }
        String units = "kMGTPEZY";
        double unit = base;
        int i = 0;
        while (i < units.length() - 1 && bytes >= unit * base) {
            unit *= base;
            i++;
        }
        String prefix = binary ? Character.toUpperCase(units.charAt(i)) + "iB" : units.charAt(i) + "B";
        return FormatSpec.parse(".1f").format(base * bytes / (unit * base), in.printer()) + " " + prefix;
    }

    private static Object number(Object value) {
        requireNumber(value, "filesizeformat");
        return value;
    }
}
