package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Java's values made values of a template. <em>Not thread-safe: one thread at a time.</em> */
final class Values {

    private final Interpreter in;

    Values(Interpreter in) {
        this.in = in;
    }

    /** Null and the empty Optional become none; maps and lists are copied in depth. */
    Object of(@Nullable Object value) {
        if (value == null) {
            return None.NONE;
        } else if (value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof Double) {
            return value;
        } else if (value instanceof Number number) {
            return number(number);
        } else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
            return value.toString();
        } else if (value instanceof Optional<?> optional) {
            return of(optional.orElse(null));
        }
        in.budget().enter();
        Object container = container(value);
        in.budget().leave();
        return container;
    }

    private static Object number(Number number) {
        if (number instanceof BigInteger big) {
            return Numbers.integer(big);
        } else if (number instanceof BigDecimal || number instanceof Float) {
            return Double.valueOf(number.toString());
        } else if (number instanceof Integer || number instanceof Short || number instanceof Byte) {
            return number.longValue();
        }
        throw unsuitable(number);
    }

    private Object container(Object value) {
        if (value instanceof Map<?, ?> map) {
            Dict dict = new Dict();
            map.forEach((key, item) -> {
                Object name = of(key);
                dict.put(in.comparison().key(name), name, of(item));
            });
            return dict;
        } else if (value instanceof Iterable<?> iterable) {
            List<Object> items = new ArrayList<>();
            iterable.forEach(item -> items.add(of(item)));
            return items;
        } else if (value instanceof Object[] array) {
            return of(java.util.Arrays.asList(array));
        }
        throw unsuitable(value);
    }

    private static Failure unsuitable(Object value) {
        return Failure.of("a template cannot be given a " + value.getClass().getName()
                + "; use maps, lists, strings, numbers, booleans or null");
    }
}
