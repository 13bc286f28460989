package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Python's {@code pprint.pformat}: keys sorted, and what does not fit into 80 columns one item a line. Long strings are
 * not broken. <em>Not thread-safe: one thread at a time.</em>
 */
final class PrettyPrinter {

    private static final int WIDTH = 80;

    private final Interpreter in;

    PrettyPrinter(Interpreter in) {
        this.in = in;
    }

    String print(Object value) {
        TextBuilder out = new TextBuilder(in.budget());
        write(sorted(value), 0, 0, out);
        return out.toString();
    }

    /** A copy with the keys of all dicts in order, where they have one. */
    private Object sorted(Object value) {
        in.budget().enter();
        Object result = value;
        if (Types.isListOrTuple(value)) {
            List<Object> items = new ArrayList<>();
            in.budget().allocate(Types.items(value).size());
            Types.items(value).forEach(item -> items.add(sorted(item)));
            result = value instanceof Tuple ? Tuple.of(items) : items;
        } else if (value instanceof Dict dict) {
            in.budget().allocate(dict.size());
            Dict copy = new Dict();
            List<Dict.Item> items = new ArrayList<>(dict.items());
            in.comparison().sort(items, (a, b) -> order(a.key(), b.key()));
            items.forEach(item -> copy.put(in.comparison().key(item.key()), item.key(), sorted(item.value())));
            result = copy;
        }
        in.budget().leave();
        return result;
    }

    private int order(Object a, Object b) {
        boolean comparable = Types.isString(a) && Types.isString(b) || Types.isNumber(a) && Types.isNumber(b);
        return comparable ? in.comparison().compare(a, b, "<") : Types.name(a).compareTo(Types.name(b));
    }

    /** @param allowance columns to keep free for what closes the values around */
    private void write(Object value, int indent, int allowance, TextBuilder out) {
        in.budget().enter();
        String line = in.printer().repr(value);
        boolean fits = line.length() <= WIDTH - indent - allowance;
        if (fits || !(value instanceof Dict) && !Types.isListOrTuple(value)) {
            out.append(line);
        } else if (value instanceof Dict dict) {
            List<Object> keys = dict.keys();
            out.append('{');
            for (int i = 0; i < keys.size(); i++) {
                String key = in.printer().repr(keys.get(i));
                boolean last = i == keys.size() - 1;
                out.append(i == 0 ? "" : ",\n" + " ".repeat(indent + 1))
                        .append(key)
                        .append(": ");
                write(dict.values().get(i), indent + 3 + key.length(), last ? allowance + 1 : 1, out);
            }
            out.append('}');
        } else {
            sequence(value, indent, allowance, out);
        }
        in.budget().leave();
    }

    private void sequence(Object value, int indent, int allowance, TextBuilder out) {
        List<Object> items = Types.items(value);
        boolean tuple = value instanceof Tuple;
        String close = !tuple ? "]" : items.size() == 1 ? ",)" : ")";
        out.append(tuple ? '(' : '[');
        for (int i = 0; i < items.size(); i++) {
            boolean last = i == items.size() - 1;
            out.append(i == 0 ? "" : ",\n" + " ".repeat(indent + 1));
            write(items.get(i), indent + 1, last ? allowance + close.length() : 1, out);
        }
        out.append(close);
    }
}
