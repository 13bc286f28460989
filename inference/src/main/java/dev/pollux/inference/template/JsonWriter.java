package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** Values as JSON, character for character as Python's {@code json.dumps} writes it. <em>Not thread-safe: one thread at a time.</em> */
final class JsonWriter {

    private final Interpreter in;
    private final Style style;
    private final TextBuilder out;

    JsonWriter(Interpreter in, Style style) {
        this.in = in;
        this.style = style;
        this.out = new TextBuilder(in.budget());
    }

    /**
     * How it is laid out.
     *
     * @param indent put before each item, once a level, on a line of its own; empty for all on one line
     */
    record Style(Optional<String> indent, String itemSeparator, String keySeparator, boolean sortKeys, boolean ascii) {

        private static final int MAX_INDENT = 1000;

        static Style of(Object indent, Object separators, boolean sortKeys, boolean ascii) {
            Optional<String> unit = Optional.empty();
            if (Types.isString(indent)) {
                unit = Optional.of(Types.text(indent));
            } else if (indent != None.NONE) {
                int size = Numbers.index(indent, "indent of tojson()");
                if (size > MAX_INDENT) {
                    throw Failure.of("indent of tojson() must be at most " + MAX_INDENT + " but was " + size);
                }
                unit = Optional.of(" ".repeat(Math.max(0, size)));
            }
            if (separators == None.NONE) {
                return new Style(unit, unit.isPresent() ? "," : ", ", ": ", sortKeys, ascii);
            }
            List<Object> pair = Types.isListOrTuple(separators) ? Types.items(separators) : List.of();
            if (pair.size() != 2 || !pair.stream().allMatch(Types::isString)) {
                throw Failure.of("separators of tojson() must be two strings");
            }
            return new Style(unit, Types.text(pair.get(0)), Types.text(pair.get(1)), sortKeys, ascii);
        }
    }

    String write(Object value) {
        write(value, 1);
        return out.toString();
    }

    private void write(Object value, int level) {
        in.budget().enter();
        if (Types.isString(value)) {
            quote(Types.text(value));
        } else if (value == None.NONE || Types.isNumber(value)) {
            out.append(scalar(value));
        } else if (Types.isListOrTuple(value)) {
            list(Types.items(value), level);
        } else if (value instanceof Dict dict) {
            dict(dict, level);
        } else {
            throw Failure.of("TypeError: Object of type " + Types.name(value) + " is not JSON serializable");
        }
        in.budget().leave();
    }

    private String scalar(Object value) {
        if (value == None.NONE) {
            return "null";
        } else if (value instanceof Boolean flag) {
            return flag ? "true" : "false";
        } else if (value instanceof Double real && (real.isNaN() || real.isInfinite())) {
            return real.isNaN() ? "NaN" : real > 0 ? "Infinity" : "-Infinity";
        }
        return in.printer().repr(value);
    }

    private void list(List<Object> items, int level) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append('[');
        Iterator<Object> each = items.iterator();
        while (each.hasNext()) {
            newline(level);
            write(each.next(), level + 1);
            out.append(each.hasNext() ? style.itemSeparator() : "");
        }
        newline(level - 1);
        out.append(']');
    }

    private void dict(Dict dict, int level) {
        if (dict.size() == 0) {
            out.append("{}");
            return;
        }
        List<Dict.Item> items = new ArrayList<>(dict.items());
        if (style.sortKeys()) {
            in.comparison().sort(items, (a, b) -> in.comparison().compare(a.key(), b.key(), "<"));
        }
        out.append('{');
        Iterator<Dict.Item> each = items.iterator();
        while (each.hasNext()) {
            Dict.Item item = each.next();
            newline(level);
            quote(key(item.key()));
            out.append(style.keySeparator());
            write(item.value(), level + 1);
            out.append(each.hasNext() ? style.itemSeparator() : "");
        }
        newline(level - 1);
        out.append('}');
    }

    private String key(Object key) {
        if (Types.isString(key)) {
            return Types.text(key);
        } else if (key == None.NONE || Types.isNumber(key)) {
            return scalar(key);
        }
        throw Failure.of("TypeError: keys must be str, int, float, bool or None, not " + Types.name(key));
    }

    private void newline(int level) {
        style.indent().ifPresent(unit -> out.append('\n').repeat(unit, level));
    }

    private void quote(String text) {
        out.append('"');
        int begin = out.length();
        int done = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || style.ascii() && c > '~') {
                out.append(text, done, i).append(escape(c));
                done = i + 1;
            }
        }
        out.append(text, done, text.length());
        out.madeOf(text, begin);
        out.append('"');
    }

    private static String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\f' -> "\\f";
            case '\b' -> "\\b";
            default -> String.format("\\u%04x", (int) c);
        };
    }
}
