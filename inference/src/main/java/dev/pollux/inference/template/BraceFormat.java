package dev.pollux.inference.template;

import java.util.Optional;

/** Python's {@code text.format(...)} and {@code text.format_map(...)}. <em>Not thread-safe: one thread at a time.</em> */
final class BraceFormat {

    private final Interpreter in;
    private final Arguments values;
    private final Optional<Dict> map;
    private int next;
    private boolean numbered;

    /** @param map where named values come from instead, for {@code format_map} */
    BraceFormat(Interpreter in, Arguments values, Optional<Dict> map) {
        this.in = in;
        this.values = values;
        this.map = map;
    }

    String format(String pattern) {
        return format(pattern, 2);
    }

    /** @param depth how deep fields may nest in the specifications of fields */
    private String format(String pattern, int depth) {
        if (depth == 0) {
            throw Failure.of("ValueError: Max string recursion exceeded");
        }
        TextBuilder out = new TextBuilder(in.budget());
        for (int i = 0; i < pattern.length(); ) {
            char c = pattern.charAt(i);
            boolean doubled = i + 1 < pattern.length() && pattern.charAt(i + 1) == c;
            if (c == '{' && !doubled) {
                int end = fieldEnd(pattern, i + 1);
                out.append(field(pattern.substring(i + 1, end), depth));
                i = end + 1;
            } else if (c == '}' && !doubled) {
                throw Failure.of("ValueError: Single '}' encountered in format string");
            } else {
                out.append(pattern, i, i + 1);
                i += c == '{' || c == '}' ? 2 : 1;
            }
        }
        return out.toString();
    }

    private static int fieldEnd(String pattern, int from) {
        int open = 1;
        boolean bracket = false;
        for (int i = from; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c == '[' || c == ']') {
                bracket = c == '[';
            } else if (c == '{' && !bracket) {
                open++;
            } else if (c == '}' && !bracket && --open == 0) {
                return i;
            }
        }
        throw Failure.of("ValueError: expected '}' before end of string");
    }

    private String field(String field, int depth) {
        int end = 0;
        boolean bracket = false;
        while (end < field.length() && (bracket || field.charAt(end) != ':' && field.charAt(end) != '!')) {
            bracket = field.charAt(end) == '[' || bracket && field.charAt(end) != ']';
            end++;
        }
        Object value = value(field.substring(0, end));
        String rest = field.substring(end);
        if (rest.startsWith("!")) {
            if (rest.length() < 2 || rest.length() > 2 && rest.charAt(2) != ':') {
                throw Failure.of("ValueError: expected ':' after conversion specifier");
            }
            value = switch (rest.charAt(1)) {
                case 's' -> in.printer().str(value);
                case 'r', 'a' -> in.printer().repr(value);
                default -> throw Failure.of("ValueError: Unknown conversion specifier " + rest.charAt(1));
            };
            rest = rest.substring(2);
        }
        String spec = rest.isEmpty() ? "" : format(rest.substring(1), depth - 1);
        if (spec.isEmpty()) {
            return in.printer().str(value);
        }
        if (!Types.isString(value) && !Types.isNumber(value)) {
            throw Failure.of("TypeError: unsupported format string passed to " + Types.name(value) + ".__format__");
        }
        in.budget().scan(NumberFilters.EXACT_DIGITS);
        return in.origins()
                .changed(in.printer().str(value), FormatSpec.parse(spec).format(value, in.printer()));
    }

    /** {@code name(.attribute|[item])*}. */
    private Object value(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Object value = root(path.substring(0, end));
        while (end < path.length()) {
            boolean attribute = path.charAt(end) == '.';
            int from = ++end;
            while (end < path.length()
                    && (attribute ? path.charAt(end) != '.' && path.charAt(end) != '[' : path.charAt(end) != ']')) {
                end++;
            }
            String part = path.substring(from, end);
            if (part.isEmpty()) {
                throw Failure.of("ValueError: Empty attribute in format string");
            }
            value = attribute ? Access.attribute(in, value, part) : Access.item(in, value, index(part));
            end += attribute ? 0 : 1;
        }
        return value;
    }

    private static Object index(String part) {
        boolean number = part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
        return number ? (Object) Long.valueOf(part) : part;
    }

    private Object root(String name) {
        Object index = name.isEmpty() ? None.NONE : index(name);
        if (index instanceof String) {
            Object found =
                    map.isPresent() ? map.get().get(name) : values.named().get(name);
            if (found == null) {
                throw Failure.of("KeyError: '" + name + "'");
            }
            return found;
        }
        if (index instanceof Long && next > 0 || index == None.NONE && numbered) {
            throw Failure.of("ValueError: cannot mix manual and automatic field numbering");
        }
        numbered |= index instanceof Long;
        long position = index instanceof Long given ? given : next++;
        if (position >= values.positional().size()) {
            throw Failure.of("IndexError: Replacement index " + position + " out of range for positional args tuple");
        }
        return values.positional().get((int) position);
    }
}
