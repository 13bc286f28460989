package dev.pollux.inference.template;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;

/** Values as text: Python's {@code str} and {@code repr}. <em>Not thread-safe: one thread at a time.</em> */
final class Printer {

    private final Budget budget;

    Printer(Budget budget) {
        this.budget = budget;
    }

    /** Python's {@code str(value)}. */
    String str(Object value) {
        if (value instanceof String text) {
            return text;
        } else if (value instanceof Markup markup) {
            return markup.text();
        } else if (value instanceof Undefined) {
            return "";
        }
        return repr(value);
    }

    /** Python's {@code repr(value)}. */
    String repr(Object value) {
        if (value instanceof Long) {
            return value.toString();
        } else if (value instanceof BigInteger big) {
            budget.scan((long) big.bitLength() * big.bitLength() >> 6);
            return value.toString();
        } else if (value instanceof Boolean flag) {
            return flag ? "True" : "False";
        } else if (value == None.NONE) {
            return "None";
        } else if (value instanceof Double real) {
            // The exact value of a very large or small number has hundreds of digits.
            budget.scan(64L * Math.abs(Math.getExponent(real)));
            return Numbers.print(real);
        }
        TextBuilder out = new TextBuilder(budget);
        write(value, out);
        return out.toString();
    }

    private void write(Object value, TextBuilder out) {
        budget.enter();
        if (value instanceof String text) {
            quote(text, out);
        } else if (value instanceof List) {
            sequence("[", Types.items(value), "]", out);
        } else if (value instanceof Tuple tuple) {
            sequence("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")", out);
        } else if (value instanceof Dict dict) {
            dict(dict, out);
        } else {
            other(value, out);
        }
        budget.leave();
    }

    private void other(Object value, TextBuilder out) {
        if (value instanceof Markup markup) {
            out.append("Markup(");
            quote(markup.text(), out);
            out.append(')');
        } else if (value instanceof DictView view) {
            out.append(view.kind().type);
            sequence("([", view.list(), "])", out);
        } else if (value instanceof Range range) {
            out.append("range(" + range.start() + ", " + range.stop());
            out.append(range.step() == 1 ? ")" : ", " + range.step() + ")");
        } else if (value instanceof Namespace namespace) {
            out.append("<Namespace ");
            dict(namespace.attributes(), out);
            out.append('>');
        } else if (value instanceof Lazy lazy) {
            out.append("<" + lazy.type() + " object>");
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else if (value instanceof Callable callable) {
            out.append(callable.print());
        } else {
            out.append(repr(value));
        }
    }

    private void sequence(String open, Iterable<Object> items, String close, TextBuilder out) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(item, out);
            separator = ", ";
        }
        out.append(close);
    }

    private void dict(Dict dict, TextBuilder out) {
        out.append('{');
        Iterator<Dict.Item> items = dict.items().iterator();
        while (items.hasNext()) {
            Dict.Item item = items.next();
            write(item.key(), out);
            out.append(": ");
            write(item.value(), out);
            if (items.hasNext()) {
                out.append(", ");
            }
        }
        out.append('}');
    }

    /** Single quotes, unless the text holds such and no double ones. */
    private static void quote(String text, TextBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        int begin = out.length();
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c == quote || c == '\\') {
                out.append('\\').append((char) c);
            } else if (c >= ' ' && c < 0x7f) {
                out.append((char) c);
            } else {
                out.append(escape(c));
            }
        }
        out.madeOf(text, begin);
        out.append(quote);
    }

    private static String escape(int c) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default ->
                CodePoints.isPrintable(c)
                        ? Character.toString(c)
                        : c < 0x100
                                ? String.format("\\x%02x", c)
                                : c < 0x10000 ? String.format("\\u%04x", c) : String.format("\\U%08x", c);
        };
    }
}
