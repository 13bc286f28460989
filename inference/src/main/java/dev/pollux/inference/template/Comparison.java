package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Equality, order, membership and truth as Python has them. <em>Not thread-safe: one thread at a time.</em> */
@SuppressWarnings("ReferenceEquality") // Python compares identity first
final class Comparison {

    private final Budget budget;

    Comparison(Budget budget) {
        this.budget = budget;
    }

    /** Python's {@code bool(value)}. */
    static boolean truth(Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        } else if (value instanceof String text) {
            return !text.isEmpty();
        } else if (value == None.NONE || value instanceof Undefined) {
            return false;
        } else if (value instanceof List<?> list) {
            return !list.isEmpty();
        } else if (value instanceof Dict dict) {
            return dict.size() > 0;
        } else if (value instanceof Long number) {
            return number != 0;
        } else if (value instanceof Double number) {
            return number != 0;
        } else if (value instanceof Tuple tuple) {
            return !tuple.items().isEmpty();
        } else if (value instanceof Markup markup) {
            return !markup.text().isEmpty();
        } else if (value instanceof DictView view) {
            return view.dict().size() > 0;
        }
        return !(value instanceof Range range) || range.size() > 0;
    }

    /** Python's {@code a == b}. */
    boolean equal(Object a, Object b) {
        if (Types.isString(a) && Types.isString(b)) {
            String text = Types.text(a);
            budget.scan(text.length());
            return text.equals(Types.text(b));
        } else if (Types.isNumber(a) && Types.isNumber(b)) {
            return !Numbers.isNaN(a) && !Numbers.isNaN(b) && Numbers.compare(a, b) == 0;
        } else if (a == b) {
            return true;
        } else if (a instanceof Undefined || b instanceof Undefined) {
            return a instanceof Undefined && b instanceof Undefined;
        }
        budget.enter();
        boolean equal = equalContainers(a, b);
        budget.leave();
        return equal;
    }

    private boolean equalContainers(Object a, Object b) {
        if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
            return equalItems(Types.items(a), Types.items(b));
        } else if (a instanceof Dict x && b instanceof Dict y) {
            return equalDicts(x, y);
        } else if (a instanceof Range x && b instanceof Range y) {
            int size = x.size();
            return size == y.size() && (size == 0 || x.start() == y.start() && (size == 1 || x.step() == y.step()));
        } else if (a instanceof DictView x && b instanceof DictView y) {
            return x.kind() != DictView.Kind.VALUES
                    && x.kind() == y.kind()
                    && x.dict().size() == y.dict().size()
                    && x.list().stream().allMatch(item -> contains(y, item));
        }
        return false;
    }

    private boolean equalItems(List<Object> a, List<Object> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!identicalOrEqual(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean equalDicts(Dict a, Dict b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (Map.Entry<Object, Dict.Item> entry : a.entries().entrySet()) {
            Object other = b.get(entry.getKey());
            if (other == null || !identicalOrEqual(entry.getValue().value(), other)) {
                return false;
            }
        }
        return true;
    }

    private boolean identicalOrEqual(Object a, Object b) {
        return a == b || equal(a, b);
    }

    /** Below, at or above zero as {@code a} comes before, with or after {@code b}; NaN comes with everything. */
    int compare(Object a, Object b, String operator) {
        if (Types.isString(a) && Types.isString(b)) {
            budget.scan(Types.text(a).length());
            return CodePoints.compare(Types.text(a), Types.text(b));
        } else if (Types.isNumber(a) && Types.isNumber(b)) {
            budget.step();
            return Numbers.compare(a, b);
        } else if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
            return compareItems(Types.items(a), Types.items(b), operator);
        } else if (a instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (b instanceof Undefined undefined) {
            throw undefined.failure();
        }
        throw Failure.of("TypeError: '" + operator + "' not supported between instances of '" + Types.name(a)
                + "' and '" + Types.name(b) + "'");
    }

    private int compareItems(List<Object> a, List<Object> b, String operator) {
        budget.enter();
        int n = Math.min(a.size(), b.size());
        int order = Integer.compare(a.size(), b.size());
        for (int i = 0; i < n; i++) {
            if (!identicalOrEqual(a.get(i), b.get(i))) {
                order = compare(a.get(i), b.get(i), operator);
                break;
            }
        }
        budget.leave();
        return order;
    }

    /** Sorts in place, stably; fails where the order contradicts itself, as with NaN. */
    <T> void sort(List<T> items, Comparator<T> order) {
        try {
            items.sort(order);
        } catch (IllegalArgumentException e) {
            throw Failure.of("ValueError: the items to sort have no consistent order");
        }
    }

    /** One of {@code < <= > >=}. */
    boolean ordered(Object a, String operator, Object b) {
        int order = compare(a, b, operator);
        if (Numbers.isNaN(a) || Numbers.isNaN(b)) {
            return false;
        }
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    /** Python's {@code item in container}. */
    boolean contains(Object container, Object item) {
        if (Types.isString(container)) {
            if (!Types.isString(item)) {
                throw Failure.of("TypeError: 'in <string>' requires string as left operand, not " + Types.name(item));
            }
            budget.scan(Types.text(container).length());
            return CodePoints.indexOf(Types.text(container), Types.text(item), 0) >= 0;
        } else if (container instanceof Dict dict) {
            return dict.contains(key(item));
        } else if (container instanceof DictView view && view.kind() == DictView.Kind.KEYS) {
            return view.dict().contains(key(item));
        } else if (container instanceof Range range) {
            return range.size() > 0 && Types.isNumber(item) && inRange(range, item);
        }
        Iterator<Object> items = Iteration.of(container, budget, "argument of type '%s' is not iterable");
        while (items.hasNext()) {
            if (identicalOrEqual(items.next(), item)) {
                return true;
            }
        }
        return false;
    }

    private static boolean inRange(Range range, Object number) {
        if (number instanceof Double real && (real != Math.rint(real) || Math.abs(real) > 1L << 53)
                || number instanceof java.math.BigInteger) {
            return false;
        }
        long value = number instanceof Double real ? real.longValue() : Numbers.longValue(number);
        long first = range.get(0);
        long last = range.get(range.size() - 1);
        return value >= Math.min(first, last) && value <= Math.max(first, last) && (value - first) % range.step() == 0;
    }

    /** The form of a dict's key in which equal keys are equal in Java too; fails where Python's is not hashable. */
    Object key(Object value) {
        if (value instanceof String) {
            return value;
        } else if (value instanceof Markup markup) {
            return markup.text();
        } else if (value instanceof Boolean) {
            return Numbers.longValue(value);
        } else if (value instanceof Double real && real == Math.rint(real) && !Double.isInfinite(real)) {
            return Math.abs(real) < 1L << 53
                    ? (Object) real.longValue()
                    : Numbers.integer(new java.math.BigDecimal(real).toBigInteger());
        } else if (value instanceof List || value instanceof Dict) {
            throw Failure.of("TypeError: unhashable type: '" + Types.name(value) + "'");
        } else if (value instanceof Undefined) {
            return Undefined.class;
        } else if (value instanceof Tuple tuple) {
            budget.enter();
            budget.allocate(tuple.items().size());
            List<Object> items = new ArrayList<>(tuple.items().size());
            for (Object item : tuple.items()) {
                items.add(key(item));
            }
            budget.leave();
            return Tuple.of(items);
        }
        return value;
    }
}
