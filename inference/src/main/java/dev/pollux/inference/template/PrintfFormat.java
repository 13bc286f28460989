package dev.pollux.inference.template;

import java.util.List;

/** Python's {@code text % values}. <em>Not thread-safe: one thread at a time.</em> */
final class PrintfFormat {

    private final String pattern;
    private final Budget budget;
    private final Printer printer;
    private int at;
    private int used;

    PrintfFormat(String pattern, Budget budget, Printer printer) {
        this.pattern = pattern;
        this.budget = budget;
        this.printer = printer;
    }

    /**
     * @param values a tuple of values, a dict for named ones, or one value
     * @param escape whether what is put in is escaped for HTML
     */
    String format(Object values, boolean escape) {
        List<Object> items = values instanceof Tuple tuple ? tuple.items() : List.of(values);
        TextBuilder out = new TextBuilder(budget);
        while (at < pattern.length()) {
            int percent = pattern.indexOf('%', at);
            out.append(pattern, at, percent < 0 ? pattern.length() : percent);
            at = percent < 0 ? pattern.length() : percent + 1;
            if (percent >= 0) {
                String text = directive(values, items);
                out.append(escape ? budget.origins().changed(text, Markup.escape(text)) : text);
            }
        }
        boolean bag = values instanceof Dict || values instanceof List;
        if (used < items.size() && !(bag && used == 0)) {
            throw Failure.of("TypeError: not all arguments converted during string formatting");
        }
        return out.toString();
    }

    private String directive(Object values, List<Object> items) {
        Object named = None.NONE;
        boolean isNamed = peek() == '(';
        if (isNamed) {
            int close = pattern.indexOf(')', at);
            if (close < 0 || !(values instanceof Dict dict)) {
                throw Failure.of("TypeError: format requires a mapping");
            }
            String key = pattern.substring(at + 1, close);
            Object found = dict.get(key);
            if (found == null) {
                throw Failure.of("KeyError: '" + key + "'");
            }
            named = found;
            used = 1;
            at = close + 1;
        }
        String flags = flags();
        int width = size(items);
        int precision = -1;
        if (peek() == '.') {
            at++;
            precision = Math.max(0, size(items));
        }
        while ("hlL".indexOf(peek()) >= 0) {
            at++;
        }
        char type = peek();
        at++;
        if (type == '%') {
            return "%";
        }
        boolean left = flags.indexOf('-') >= 0 || width < 0;
        return layout(isNamed ? named : next(items), type, new Layout(flags, left, Math.abs(width), precision));
    }

    private record Layout(String flags, boolean left, int width, int precision) {}

    private String layout(Object value, char type, Layout layout) {
        budget.scan(NumberFilters.EXACT_DIGITS);
        boolean numeric = "diuoxXeEfFgG".indexOf(type) >= 0;
        char sign = layout.flags().indexOf('+') >= 0 ? '+' : layout.flags().indexOf(' ') >= 0 ? ' ' : '-';
        boolean zero = numeric && layout.flags().indexOf('0') >= 0 && !layout.left();
        char align = layout.left() ? '<' : zero ? '=' : '>';
        boolean alternate = layout.flags().indexOf('#') >= 0;
        String fill = zero ? "0" : " ";
        return switch (type) {
            case 'd', 'i', 'u' ->
                integer(
                        value,
                        type,
                        layout,
                        new FormatSpec(fill, align, sign, false, layout.width(), (char) 0, -1, 'd'));
            case 'o', 'x', 'X' ->
                integer(
                        value,
                        type,
                        layout,
                        new FormatSpec(fill, align, sign, alternate, layout.width(), (char) 0, -1, type));
            case 'e', 'E', 'f', 'F', 'g', 'G' ->
                new FormatSpec(fill, align, sign, alternate, layout.width(), (char) 0, layout.precision(), type)
                        .format(Numbers.doubleValue(number(value, type)), printer);
            case 's', 'r', 'a', 'c' -> {
                String text = text(value, type);
                int precision = type == 'c' ? -1 : layout.precision();
                FormatSpec spec = new FormatSpec(" ", align, '-', false, layout.width(), (char) 0, precision, 's');
                yield budget.origins().changed(text, spec.format(text, printer));
            }
            default -> throw Failure.of("ValueError: unsupported format character '" + type + "'");
        };
    }

    private String text(Object value, char type) {
        if (type == 's') {
            return printer.str(value);
        } else if (type != 'c') {
            return printer.repr(value);
        } else if (Types.isString(value) && CodePoints.length(Types.text(value)) == 1) {
            return Types.text(value);
        } else if (Types.isInteger(value)) {
            return FormatSpec.parse("c").format(Numbers.integer(Numbers.big(value)), printer);
        }
        throw Failure.of("TypeError: %c requires int or char");
    }

    private String integer(Object value, char type, Layout layout, FormatSpec spec) {
        Object number = number(value, type);
        if (number instanceof Double real) {
            if (type != 'd' && type != 'i' && type != 'u' || real.isNaN() || real.isInfinite()) {
                throw Failure.of("TypeError: %" + type + " format: an integer is required, not float");
            }
            number = Numbers.integer(new java.math.BigDecimal(real).toBigInteger());
        }
        Object whole = Numbers.integer(Numbers.big(number));
        if (layout.precision() < 0) {
            return spec.format(whole, printer);
        }
        FormatSpec digits = new FormatSpec("0", '=', '-', false, layout.precision(), (char) 0, -1, spec.type());
        String padded = digits.format(Numbers.integer(Numbers.big(number).abs()), printer);
        String mark = Numbers.big(number).signum() < 0 ? "-" : spec.sign() == '-' ? "" : String.valueOf(spec.sign());
        return new FormatSpec(" ", layout.left() ? '<' : '>', '-', false, layout.width(), (char) 0, -1, 's')
                .format(mark + padded, printer);
    }

    private static Object number(Object value, char type) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (!Types.isNumber(value)) {
            throw Failure.of("TypeError: %" + type + " format: a real number is required, not " + Types.name(value));
        }
        return value;
    }

    private String flags() {
        int from = at;
        while ("-+ #0".indexOf(peek()) >= 0) {
            at++;
        }
        return pattern.substring(from, at);
    }

    /** The number that stands here or, for {@code *}, in the values; 0 where there is none. */
    private int size(List<Object> items) {
        if (peek() == '*') {
            at++;
            int given = Numbers.index(next(items), "* in a format");
            return given < 0 ? -FormatSpec.size(-(long) given) : FormatSpec.size(given);
        }
        int from = at;
        long value = 0;
        while (at < pattern.length() && pattern.charAt(at) >= '0' && pattern.charAt(at) <= '9') {
            value = FormatSpec.size(value * 10 + pattern.charAt(at++) - '0');
        }
        return from == at ? 0 : (int) value;
    }

    private Object next(List<Object> items) {
        if (used >= items.size()) {
            throw Failure.of("TypeError: not enough arguments for format string");
        }
        return items.get(used++);
    }

    private char peek() {
        if (at >= pattern.length()) {
            throw Failure.of("ValueError: incomplete format");
        }
        return pattern.charAt(at);
    }
}
